package kind

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// realVariable names the node image of the engine that the tests may make clusters from; "airgapped:" before it says that
// the image brings its own pod network.
const realVariable = "FAULTLINE_TEST_KIND"

// realNode is the image to test with.
func realNode(t *testing.T) Node {
	t.Helper()
	given := os.Getenv(realVariable)
	if given == "" {
		t.Skipf("NOT TESTED: a cluster on a real engine, because %s names no node image (`stack airgap list` does: airgapped:IMAGE)", realVariable)
	}
	image, airgapped := strings.CutPrefix(given, "airgapped:")
	return Node{Image: image, Airgapped: airgapped}
}

// realAscent is a way up in an empty checkout, with ports of its own, as far as the cluster.
func realAscent(t *testing.T, node Node) *ascent {
	t.Helper()
	at := checkout(t)
	cfg := Config{Root: at.Root, Cluster: "faultline-test", Ports: freePorts(t), NodeImage: node.Image, Airgapped: node.Airgapped}
	if _, err := cfg.defaults(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Down(context.WithoutCancel(t.Context()), cfg); err != nil {
			t.Error(err)
		}
	})
	return &ascent{cfg: cfg, at: at, node: node, board: &board{line: progress.New(nil)}}
}

// reach makes the cluster, or finds it and uses it again.
func (a *ascent) reach(ctx context.Context) error {
	if _, err := a.findEngine(ctx, func(string) {}); err != nil {
		return err
	}
	_, err := a.bringCluster(ctx, func(string) {})
	return err
}

func TestARealClusterIsMadeUsedAgainAndDeletedByItsOwnCheckoutOnly(t *testing.T) {
	a := realAscent(t, realNode(t))
	if err := a.reach(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(a.at.kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: %v, %v", info, err)
	}
	made := a.marker
	again := &ascent{cfg: a.cfg, at: a.at, node: a.node, board: a.board}
	if err := again.reach(t.Context()); err != nil {
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
	if err := again.reach(t.Context()); err != nil {
		t.Errorf("after its node was stopped: %v", err)
	}
	if err := Down(t.Context(), a.cfg); err != nil {
		t.Fatal(err)
	}
	if node, err := machineOf(t.Context(), a.cfg.Cluster); node != nil || err != nil {
		t.Errorf("after down there is %+v, %v", node, err)
	}
}

func TestOfARealClusterThatIsInterruptedNothingStays(t *testing.T) {
	a := realAscent(t, realNode(t))
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	go func() { // as soon as there is a node
		for ctx.Err() == nil {
			if node, err := machineOf(ctx, a.cfg.Cluster); err == nil && node != nil {
				cancel(cause)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	if err := a.reach(ctx); !errors.Is(err, cause) {
		t.Fatalf("it says %v", err)
	}
	if node, err := machineOf(t.Context(), a.cfg.Cluster); node != nil || err != nil {
		t.Errorf("there is %+v, %v", node, err)
	}
	if exists(a.at.record) || exists(a.at.kubeconfig) {
		t.Error("files are left")
	}
}

func TestAClusterThatWasHalfMadeIsMadeAnew(t *testing.T) {
	a := realAscent(t, realNode(t))
	if err := a.reach(t.Context()); err != nil {
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
	again := &ascent{cfg: a.cfg, at: a.at, node: a.node, board: a.board}
	if err := again.reach(t.Context()); err != nil {
		t.Fatal(err)
	}
	if known, err = readRecord(a.at.record); err != nil || known.Container == first || known.Container == "" {
		t.Errorf("its node is %s, was %s, %v", known.Container, first, err)
	}
}
