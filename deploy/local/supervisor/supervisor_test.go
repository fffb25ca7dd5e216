package supervisor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/internal/fakeservice"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
)

func TestEachPartStartsWhenItsOwnNeedsAreReadyAndStopsBeforeThem(t *testing.T) {
	set := freePorts(t)
	slowIsDone := make(chan struct{})
	first := service(t, fakeservice.Options{Listen: set.Address(ports.Postgres)})
	second := service(t, fakeservice.Options{Listen: set.Address(ports.Loki)})
	record := &history{}
	s := prepared(t, record,
		Part{Name: "edge", Kind: Service, Needs: []string{"second", "slow"}, Workload: workloadOn(t, set, 1)},
		Part{Name: "second", Kind: Stack, Needs: []string{"first"}, Process: &second},
		Part{Name: "first", Kind: Database, Process: &first},
		// It ends only when "second" is ready, which does not need it: a start in layers would wait for ever.
		Part{Name: "slow", Task: func(ctx context.Context) error {
			select {
			case <-slowIsDone:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}},
	)
	result := make(chan error, 1)
	go func() { result <- s.Start(t.Context()) }()
	eventually(t, "second is ready while slow is not", func() bool { return answers(set.Address(ports.Loki)) })
	close(slowIsDone)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	for _, order := range [][2]string{
		{"first ready", "second starting"}, {"second ready", "edge starting"}, {"slow ready", "edge starting"},
	} {
		if !record.before(order[0], order[1]) {
			t.Errorf("%q must come before %q: %v", order[0], order[1], record.lines)
		}
	}
	if missing := s.NotReady(); len(missing) > 0 {
		t.Errorf("not ready: %v", missing)
	}
	s.stop()
	for _, order := range [][2]string{{"edge stopped", "second stopped"}, {"second stopped", "first stopped"}} {
		if !record.before(order[0], order[1]) {
			t.Errorf("%q must come before %q: %v", order[0], order[1], record.lines)
		}
	}
}

func TestAStartThatFailsShowsTheEndOfTheLog(t *testing.T) {
	set := freePorts(t)
	broken := service(t, fakeservice.Options{Listen: set.Address(ports.Loki), Say: "schema_config is wrong", ExitCode: 3})
	s := prepared(t, &history{}, Part{Name: "loki", Kind: Stack, Process: &broken})
	err := s.Start(t.Context())
	if err == nil {
		t.Fatal("it started")
	}
	for _, part := range []string{"loki ended 3 times before it was ready", "exit status 3", "schema_config is wrong", "loki.log"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}

func TestAStartThatIsInterruptedStops(t *testing.T) {
	set := freePorts(t)
	never := service(t, fakeservice.Options{Listen: set.Address(ports.Loki), ReadyAfter: bound * 10})
	s := prepared(t, &history{}, Part{Name: "loki", Kind: Stack, Process: &never})
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Start(ctx) }()
	eventually(t, "it starts", func() bool { return s.Processes()[0].State == process.Starting })
	reason := errors.New("ctrl-c")
	cancel(reason)
	if err := <-result; !errors.Is(err, reason) {
		t.Errorf("got %v, want %v", err, reason)
	}
}

func TestAReplicaThatIsKilledComesBackUnderANewStartID(t *testing.T) {
	s := started(t, Part{Name: "orders", Kind: Service, Workload: workloadOn(t, freePorts(t), 2)})
	before := orders(t, s).Replicas
	if err := syscall.Kill(before[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "orders-1 is ready again", func() bool {
		now := orders(t, s).Replicas[0]
		return now.State == process.Ready && now.StartID != before[0].StartID && now.Restarts == 1
	})
	if now := orders(t, s).Replicas[1]; now.StartID != before[1].StartID {
		t.Error("orders-2 was started anew as well")
	}
}

func TestARestartNeedsTheStartIDOfTheChildThatRuns(t *testing.T) {
	s := started(t, Part{Name: "orders", Kind: Service, Workload: workloadOn(t, freePorts(t), 2)})
	before := orders(t, s).Replicas[0]
	// Two at once with the same start id, as of a healer that retries: one restart.
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := s.Restart(t.Context(), "orders", "orders-1", before.StartID); err != nil && !errors.Is(err, ErrConflict) {
				t.Error(err)
			}
		})
	}
	both.Wait()
	eventually(t, "orders-1 is ready again", func() bool {
		now := orders(t, s).Replicas[0]
		return now.State == process.Ready && now.StartID != before.StartID
	})
	if err := s.Restart(t.Context(), "orders", "orders-1", before.StartID); !errors.Is(err, ErrConflict) {
		t.Errorf("a third with the old start id: %v, want a conflict", err)
	}
	if now := orders(t, s).Replicas[0]; now.Restarts != 1 || now.Address != before.Address || !answers(now.Address) {
		t.Errorf("afterwards: %+v", now)
	}
}

func TestScaling(t *testing.T) {
	set := freePorts(t)
	s := started(t, Part{Name: "orders", Kind: Service, Workload: workloadOn(t, set, 2)})
	if err := s.Scale("orders", 4, nil, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "four are ready", func() bool {
		return states(orders(t, s)) == "orders-1:ready:v1 orders-2:ready:v1 orders-3:ready:v1 orders-4:ready:v1"
	})
	if err := s.Wipe("orders"); !errors.Is(err, ErrConflict) {
		t.Errorf("wiping a workload that runs: %v, want a conflict", err)
	}
	kept := filepath.Join(s.cfg.StateDir, "orders-1", "store")
	if err := os.WriteFile(kept, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Scale("orders", 0, nil, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "none is left", func() bool { return states(orders(t, s)) == "" })
	if answers(set.Address(ports.Orders(1))) {
		t.Error("orders-1 still answers")
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("scaling took the working files: %v", err)
	}
	if err := s.Wipe("orders"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(kept); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the working files are still there: %v", err)
	}
	if err := s.Scale("orders", 1, nil, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "one is ready", func() bool { return states(orders(t, s)) == "orders-1:ready:v1" })
	for _, wrong := range []int{-1, ports.MaxOrders + 1} {
		if err := s.Scale("orders", wrong, nil, ""); !errors.Is(err, ErrInvalid) {
			t.Errorf("scaling to %d: %v, want that it is not possible", wrong, err)
		}
	}
}

func TestAVersionRollsOneReplicaAtATime(t *testing.T) {
	s := started(t, Part{Name: "orders", Kind: Service, Workload: workloadOn(t, freePorts(t), 3)})
	if err := s.SetVersion("orders", "slow"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all have the new version", func() bool {
		ready := 0
		now := orders(t, s)
		for _, r := range now.Replicas {
			if r.State == process.Ready {
				ready++
			}
		}
		if ready < 2 {
			t.Fatalf("only %d of 3 serve: %s", ready, states(now))
		}
		return states(now) == "orders-1:ready:slow orders-2:ready:slow orders-3:ready:slow"
	})
}

func TestABrokenVersionStopsAtTheFirstReplicaAndCanBeTakenBack(t *testing.T) {
	s := started(t, Part{Name: "orders", Kind: Service, Workload: workloadOn(t, freePorts(t), 2)})
	untouched := orders(t, s).Replicas[1].StartID
	if err := s.SetVersion("orders", "broken"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first replica has crashed several times", func() bool { return orders(t, s).Replicas[0].Restarts >= 3 })
	if len(s.NotReady()) == 0 {
		t.Error("it says that everything is ready")
	}
	if err := s.SetVersion("orders", "v1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are well again", func() bool {
		return states(orders(t, s)) == "orders-1:ready:v1 orders-2:ready:v1"
	})
	if now := orders(t, s).Replicas[1].StartID; now != untouched {
		t.Error("orders-2 was touched")
	}
	if err := s.SetVersion("orders", "v9"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "broken, slow, v1") {
		t.Errorf("a version that there is not: %v, want one that names those there are", err)
	}
}

func TestASecondWorkloadOfAProgramIsFoundUnderItsJobWithItsGroup(t *testing.T) {
	set := freePorts(t)
	standby := workloadOn(t, set, 1)
	standby.Job, standby.Group = "orders", "standby"
	s := started(t, Part{Name: "orders-standby", Kind: Service, Workload: standby})
	for _, job := range []string{"orders", "orders-standby", ""} {
		found := s.Discovery(job, true)
		if len(found) != 1 || found[0].Labels["job"] != "orders" || found[0].Labels["group"] != "standby" ||
			found[0].Labels["instance"] != "orders-standby-1" {
			t.Errorf("job=%q: %+v", job, found)
		}
	}
	if other := s.Discovery("inventory", true); len(other) != 0 {
		t.Errorf("under another job: %+v", other)
	}
}

func TestDiscoveryListsWhatRunsAndOnRequestOnlyWhatIsReady(t *testing.T) {
	set := freePorts(t)
	s := started(t, Part{Name: "orders", Kind: Service, Workload: workloadOn(t, set, 1)})
	if err := s.SetVersion("orders", "broken"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "orders-1 has crashed", func() bool { return orders(t, s).Replicas[0].State == process.Crashed })
	all := s.Discovery("orders", false)
	if len(all) != 1 || all[0].Targets[0] != set.Address(ports.Orders(1)) || all[0].Labels["instance"] != "orders-1" ||
		all[0].Labels["job"] != "orders" || all[0].Labels["version"] != "broken" {
		t.Errorf("all: %+v", all)
	}
	if ready := s.Discovery("orders", true); len(ready) != 0 {
		t.Errorf("ready: %+v", ready)
	}
}
