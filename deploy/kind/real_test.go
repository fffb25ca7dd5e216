package kind

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

const (
	// realVariable is 1 where clusters may be made, which `make test-kind` says: then they must be.
	realVariable = "FAULTLINE_TEST_KIND"
	// realCluster is beside the one that somebody uses.
	realCluster = "faultline-lifecycle"
)

// realAscent is a way up in an empty checkout, with ports of its own, as far as the cluster. Its node is the one that `up`
// takes without building.
func realAscent(t *testing.T) *ascent {
	t.Helper()
	if os.Getenv(realVariable) != "1" {
		t.Skipf("NOT TESTED: making, using and deleting a cluster on a real engine; `make test-kind` does it (%s=1)", realVariable)
	}
	at := checkout(t)
	cfg := Config{Root: at.Root, Cluster: realCluster, Ports: freePorts(t)}
	if _, err := cfg.defaults(); err != nil {
		t.Fatal(err)
	}
	objects, err := manifests.Render(manifests.Options{Overlay: overlay})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Down(context.WithoutCancel(t.Context()), cfg); err != nil {
			t.Error(err)
		}
	})
	return &ascent{cfg: cfg, at: at, objects: objects, board: &board{line: progress.New(nil)}}
}

// reach makes the cluster, or finds it and uses it again. heard is told what it is about to do.
func (a *ascent) reach(ctx context.Context, heard func(string)) error {
	for _, step := range []func(context.Context, func(string)) (string, error){a.findEngine, a.chooseNode, a.bringCluster} {
		if _, err := step(ctx, heard); err != nil {
			return err
		}
	}
	return nil
}

// again is another way up of the same checkout.
func (a *ascent) again() *ascent {
	return &ascent{cfg: a.cfg, at: a.at, objects: a.objects, board: a.board}
}

func quiet(string) {}

func TestARealClusterIsMadeUsedAgainAndDeletedByItsOwnCheckoutOnly(t *testing.T) {
	a := realAscent(t)
	if err := a.reach(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(a.at.kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: %v, %v", info, err)
	}
	if err := nodesReady(t.Context(), a.client); err != nil {
		t.Errorf("its node: %v", err)
	}
	made := a.marker
	again := a.again()
	if err := again.reach(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if !again.marker.MadeAt.Equal(made.MadeAt) {
		t.Errorf("made at %s and %s: it was made anew", made.MadeAt, again.marker.MadeAt)
	}

	stranger := checkout(t)
	err := Down(t.Context(), Config{Root: stranger.Root, Cluster: a.cfg.Cluster})
	if err == nil || !strings.Contains(err.Error(), a.cfg.Root) {
		t.Errorf("another checkout deletes it: %v", err)
	}
	if _, err := docker(t.Context(), "stop", "--time=5", again.there.node.ID); err != nil {
		t.Fatal(err)
	}
	if err := again.reach(t.Context(), quiet); err != nil {
		t.Errorf("after its node was stopped: %v", err)
	}
	if err := os.RemoveAll(a.at.Run); err != nil {
		t.Fatal(err)
	}
	if name, err := Own(t.Context(), a.at.Folders); name != a.cfg.Cluster || err != nil {
		t.Errorf("without its files the checkout has %q, %v", name, err)
	}
	if err := Down(t.Context(), Config{Root: a.at.Root}); err != nil {
		t.Fatal(err)
	}
	if node, err := machineOf(t.Context(), a.cfg.Cluster); node != nil || err != nil {
		t.Errorf("after down there is %+v, %v", node, err)
	}
}

func TestOfARealClusterThatIsInterruptedNothingStays(t *testing.T) {
	cause := errors.New("enough")
	for moment, interrupt := range map[string]func(ctx context.Context, a *ascent, heard func() string) bool{
		"as soon as there is a node": func(ctx context.Context, a *ascent, _ func() string) bool {
			node, err := machineOf(ctx, a.cfg.Cluster)
			return err == nil && node != nil
		},
		"while its node is waited for": func(_ context.Context, _ *ascent, heard func() string) bool {
			return strings.Contains(heard(), "waiting for the node")
		},
	} {
		t.Run(moment, func(t *testing.T) {
			a := realAscent(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var last atomic.Value
			last.Store("")
			go func() {
				for ctx.Err() == nil {
					if interrupt(ctx, a, func() string { return last.Load().(string) }) {
						cancel(cause)
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			if err := a.reach(ctx, func(text string) { last.Store(text) }); !errors.Is(err, cause) {
				t.Fatalf("it says %v", err)
			}
			if node, err := machineOf(t.Context(), a.cfg.Cluster); node != nil || err != nil {
				t.Errorf("there is %+v, %v", node, err)
			}
			if exists(a.at.record) || exists(a.at.kubeconfig) {
				t.Error("files are left")
			}
		})
	}
}

func TestARealClusterThatWasHalfMadeIsMadeAnew(t *testing.T) {
	a := realAscent(t)
	if err := a.reach(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	// As a kill before the marker leaves it.
	if err := a.client.CoreV1().ConfigMaps(markerNamespace).Delete(t.Context(), markerName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	known, err := readRecord(a.at.record)
	if err != nil {
		t.Fatal(err)
	}
	first := known.Container
	known.Container = ""
	if err := known.write(a.at.record); err != nil {
		t.Fatal(err)
	}
	if err := a.again().reach(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if known, err = readRecord(a.at.record); err != nil || known.Container == first || known.Container == "" {
		t.Errorf("its node is %s, was %s, %v", known.Container, first, err)
	}
}
