package mesh_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/mesh"
)

var _ fault.Driver = (*mesh.Driver)(nil)

// inject prepares and injects.
func inject(t *testing.T, driver *mesh.Driver) fault.Injection {
	t.Helper()
	prepared, err := driver.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	injection, err := driver.Inject(t.Context(), prepared)
	if err != nil {
		t.Fatal(err)
	}
	return injection
}

// present asks, and wants an answer.
func present(t *testing.T, driver *mesh.Driver, state fault.State) fault.Presence {
	t.Helper()
	presence, err := driver.StillPresent(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	return presence
}

// says fails unless an error says all of the words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("it does not say %q: %v", word, err)
		}
	}
}

func (c *cluster) networkChaos() (*v1alpha1.NetworkChaos, error) {
	found := &v1alpha1.NetworkChaos{}
	return found, c.api.Get(c.t.Context(), c.key("network-latency-a1b2c3"), found)
}

// watch collects what Watch tells, until stop.
func watch(driver *mesh.Driver, state fault.State) (told func() []string, stop func()) {
	var lock sync.Mutex
	var texts []string
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		driver.Watch(ctx, state, func(text string) {
			lock.Lock()
			defer lock.Unlock()
			texts = append(texts, text)
		})
	})
	told = func() []string {
		lock.Lock()
		defer lock.Unlock()
		return slices.Clone(texts)
	}
	return told, func() { cancel(); watching.Wait() }
}

func TestAFaultIsAppliedAndWatchedUntilItsTimeIsOverAndRemoved(t *testing.T) {
	c := withShop(t)
	c.control(true, true)
	driver := c.driver("network-latency", 2*time.Second)
	injection := inject(t, driver)
	if !slices.Equal(injection.Affected, []string{"orders-a", "orders-b"}) || !strings.Contains(injection.Detail, "injected on postgres-0") {
		t.Errorf("injected: %+v", injection)
	}
	if p := present(t, driver, injection.State); !p.Present || !slices.Equal(p.Subjects, injection.Affected) {
		t.Errorf("right after: %+v", p)
	}
	told, stop := watch(driver, injection.State)
	defer stop()
	c.eventually("its end is told", func() bool {
		return slices.ContainsFunc(told(), func(text string) bool {
			return strings.HasSuffix(text, "its duration is over, and it has been taken away")
		})
	})
	if p := present(t, driver, injection.State); p.Present || !strings.Contains(p.Detail, "its duration is over") {
		t.Errorf("after its time: %+v", p)
	}
	for range 2 { // it may be repeated
		if err := driver.Restore(t.Context(), injection.State); err != nil {
			t.Errorf("restore: %v", err)
		}
	}
	if _, err := c.networkChaos(); !apierrors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAFaultIsTakenAwayBeforeItsTime(t *testing.T) {
	c := withShop(t)
	c.control(true, true)
	driver := c.driver("network-latency", time.Hour)
	state := inject(t, driver).State
	if err := driver.Restore(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	if p := present(t, driver, state); p.Present || !strings.Contains(p.Detail, "is gone") {
		t.Errorf("after restoring: %+v", p)
	}
}

func TestAReplicaThatIsReplacedDoesNotEscapeAndADatabaseThatIsReplacedIsSaidTo(t *testing.T) {
	c := withShop(t)
	c.control(true, true)
	driver := c.driver("network-latency", time.Hour)
	state := inject(t, driver).State
	c.end("orders-a")
	c.run("orders-c", "orders", "faultline")
	if p := present(t, driver, state); !p.Present || !slices.Equal(p.Subjects, []string{"orders-b", "orders-c"}) {
		t.Errorf("after the restart of a replica: %+v", p)
	}
	c.end("postgres-0")
	c.run("postgres-0", "postgres", "faultline-stack")
	if p := present(t, driver, state); p.Present || !strings.Contains(p.Detail, "moved out of the fault's reach") {
		t.Errorf("after the database has become another pod: %+v", p)
	}
}

func TestAFaultThatIsNeverInjectedIsSaidToBeWithWhatIsKnownOfIt(t *testing.T) {
	t.Run("no controller runs", func(t *testing.T) {
		c := withShop(t)
		driver := c.driver("network-latency", time.Minute)
		prepared, err := driver.Prepare(t.Context())
		c.must(err)
		injection, err := driver.Inject(t.Context(), prepared)
		says(t, err, "NetworkChaos network-latency-a1b2c3 was not injected within 2s", "Chaos Mesh has not looked at it", "is its controller running")
		if err := driver.Restore(t.Context(), injection.State); err != nil {
			t.Errorf("restore: %v", err)
		}
	})
	t.Run("the kernel has no netem", func(t *testing.T) {
		c := withShop(t)
		s := c.control(false, true)
		s.set(func() { s.fails = "tc command error: RTNETLINK answers: No such file or directory" })
		driver := c.driver("network-latency", time.Minute)
		prepared, err := driver.Prepare(t.Context())
		c.must(err)
		injection, err := driver.Inject(t.Context(), prepared)
		says(t, err, "apply on "+c.namespace+"/postgres-0: tc command error", "sch_netem")
		if err := driver.Restore(t.Context(), injection.State); err != nil {
			t.Errorf("restore: %v", err)
		}
	})
	t.Run("there is no pod to select", func(t *testing.T) {
		c := newCluster(t)
		c.install()
		_, err := c.driver("process-kill", time.Minute).Prepare(t.Context())
		says(t, err, "PodChaos process-kill-a1b2c3 would select nothing", "app.kubernetes.io/name:orders")
	})
}

func TestAResourceThatSomebodyElseDeletesIsSaidToBeGone(t *testing.T) {
	t.Run("while it is injected", func(t *testing.T) {
		c := withShop(t)
		c.control(false, true)
		driver := c.driver("network-latency", time.Minute)
		prepared, err := driver.Prepare(t.Context())
		c.must(err)
		deleted := make(chan error, 1)
		go func() {
			var err error
			for made := false; !made; time.Sleep(10 * time.Millisecond) {
				_, err = c.networkChaos()
				made = err == nil
			}
			found, _ := c.networkChaos()
			deleted <- c.api.Delete(context.Background(), found)
		}()
		_, err = driver.Inject(t.Context(), prepared)
		says(t, err, "was not injected", "somebody else has deleted it meanwhile")
		c.must(<-deleted)
	})
	t.Run("while it is watched", func(t *testing.T) {
		c := withShop(t)
		c.control(true, true)
		driver := c.driver("network-latency", time.Hour)
		state := inject(t, driver).State
		told, stop := watch(driver, state)
		defer stop()
		found, err := c.networkChaos()
		c.must(err)
		c.must(c.api.Delete(t.Context(), found))
		c.eventually("it is told", func() bool {
			return slices.ContainsFunc(told(), func(text string) bool { return strings.Contains(text, "somebody else has deleted it") })
		})
		if p := present(t, driver, state); p.Present || !strings.Contains(p.Detail, "is gone") {
			t.Errorf("present: %+v", p)
		}
		if err := driver.Restore(t.Context(), state); err != nil {
			t.Errorf("restore: %v", err)
		}
	})
}

func TestAResourceThatIsStuckIsGivenUpOnlyWhenNoPodCarriesItsFault(t *testing.T) {
	for name, tt := range map[string]struct {
		controllerDies bool                     // nobody heeds the annotation
		mend           func(*cluster, *standin) // takes the fault off the pod, behind the controller's back
	}{
		"the pod was replaced": {false, func(c *cluster, _ *standin) {
			c.end("postgres-0")
			c.run("postgres-0", "postgres", "faultline-stack")
		}},
		"the daemon has undone it": {false, func(c *cluster, s *standin) {
			found, err := c.networkChaos()
			c.must(err)
			s.tell(c.t.Context(), found, found.Status.Experiment.Records[0], false)
		}},
		"the pod is gone and so is the controller": {true, func(c *cluster, _ *standin) { c.end("postgres-0") }},
	} {
		t.Run(name, func(t *testing.T) {
			c := withShop(t)
			s := c.control(true, false)
			driver := c.driver("network-latency", time.Hour)
			state := inject(t, driver).State
			s.set(func() { s.fails = "rpc error: connection refused" })
			err := driver.Restore(t.Context(), state)
			if !errors.Is(err, mesh.ErrStuck) {
				t.Fatalf("restore: %v", err)
			}
			says(t, err, "recover on "+c.namespace+"/postgres-0: rpc error", "chaos stop --all", giveUp+"=forced")

			says(t, driver.Clear(t.Context(), state), "is not given up, because pod "+c.namespace+"/postgres-0 may still carry its fault", "kubectl")
			if found, err := c.networkChaos(); err != nil || found.Annotations[giveUp] != "" {
				t.Fatalf("it was touched although the fault is there: %v", err)
			}
			if tt.controllerDies {
				s.lock.Lock()
			}
			tt.mend(c, s)
			if err := driver.Clear(t.Context(), state); err != nil {
				t.Errorf("clear: %v", err)
			}
			if tt.controllerDies {
				s.lock.Unlock()
			}
			if _, err := c.networkChaos(); !apierrors.IsNotFound(err) {
				t.Errorf("it is still there: %v", err)
			}
			if err := driver.Clear(t.Context(), state); err != nil {
				t.Errorf("clear of nothing: %v", err)
			}
		})
	}
}

// Whoever injects may be killed at any moment: what was stored before is enough.
func TestAnInjectionThatWasCutOffIsTakenAwayFromWhatWasPrepared(t *testing.T) {
	c := withShop(t)
	c.control(true, true)
	driver := c.driver("network-latency", time.Hour)
	prepared, err := driver.Prepare(t.Context())
	c.must(err)
	if _, err := driver.Inject(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	if err := c.driver("network-latency", time.Hour).Restore(t.Context(), prepared); err != nil {
		t.Errorf("restore: %v", err)
	}
	if _, err := c.networkChaos(); !apierrors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAKilledContainerIsPresentUntilItIsBack(t *testing.T) {
	c := withShop(t)
	c.control(true, true)
	driver := c.driver("process-kill", time.Minute)
	injection := inject(t, driver)
	if len(injection.Affected) != 1 || !strings.HasPrefix(injection.Affected[0], "orders-") {
		t.Fatalf("injected: %+v", injection)
	}
	if p := present(t, driver, injection.State); !p.Present || !slices.Equal(p.Subjects, injection.Affected) {
		t.Errorf("right after: %+v", p)
	}
	c.say(injection.Affected[0], true, 1)
	if p := present(t, driver, injection.State); p.Present || len(p.Subjects) != 0 {
		t.Errorf("when it is back: %+v", p)
	}
	if err := driver.Restore(t.Context(), injection.State); err != nil {
		t.Errorf("restore: %v", err)
	}
	var left v1alpha1.PodChaosList
	if err := c.api.List(t.Context(), &left, client.InNamespace(c.namespace)); err != nil || len(left.Items) != 0 {
		t.Errorf("left: %v, %v", left.Items, err)
	}
}
