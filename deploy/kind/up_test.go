package kind

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

func freePorts(t *testing.T) ports.Set {
	t.Helper()
	set, err := ports.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestATakenPortIsSaidBeforeAnythingIsMade(t *testing.T) {
	at := checkout(t)
	fakeDocker(t, engineWith+`[ "$1" = ps ] || exit 1`)
	set := freePorts(t)
	listener, err := net.Listen("tcp", set.Address(ports.Loki))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, _, err = Up(t.Context(), Config{Root: at.Root, Ports: set})
	var taken *ports.TakenError
	if !errors.As(err, &taken) || len(taken.Taken) != 1 || taken.Taken[0].Name != ports.Loki {
		t.Fatalf("it says %v", err)
	}
	if exists(at.record) || exists(at.kubeconfig) || exists(at.Stack) {
		t.Error("it made something")
	}
}

func TestAPortThatTheClusterDoesNotMapMayBeTaken(t *testing.T) {
	at := checkout(t)
	fakeDocker(t, engineWith+`[ "$1" = ps ] || exit 1`)
	set := freePorts(t)
	listener, err := net.Listen("tcp", set.Address(ports.Control))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	// It fails later: the named image is not there.
	_, times, err := Up(t.Context(), Config{Root: at.Root, Ports: set, NodeImage: "node:1"})
	if err == nil || !strings.Contains(err.Error(), "no image node:1") || times.Of(StepEngine) == 0 || times.Of(StepCluster) != 0 {
		t.Errorf("steps %v, error %v", times, err)
	}
}

func TestASecondClusterOfACheckoutIsRefused(t *testing.T) {
	at := checkout(t)
	if err := (record{Cluster: "first", Container: "abc"}).write(at.record); err != nil {
		t.Fatal(err)
	}
	fakeDocker(t, engineWith+`case $1 in
ps) case "$*" in *cluster=first*) echo abc;; esac;;
container) echo '{"Id":"abc","Name":"/first-control-plane"}';;
esac`)
	_, _, err := Up(t.Context(), Config{Root: at.Root, Cluster: "second", Ports: freePorts(t)})
	if err == nil || !strings.Contains(err.Error(), "cluster first already") || !strings.Contains(err.Error(), "`stack down`") {
		t.Errorf("it says %v", err)
	}
}

func TestTheClustersNameIsTheGivenTheOneOfTheEnvironmentTheKnownOrTheContracts(t *testing.T) {
	at := checkout(t)
	name := func(given string) string {
		t.Helper()
		cfg := Config{Root: at.Root, Cluster: given}
		if _, err := cfg.defaults(); err != nil {
			t.Fatal(err)
		}
		return cfg.Cluster
	}
	if got := name(""); got != "faultline" {
		t.Errorf("without anything it is %s", got)
	}
	if err := (record{Cluster: "known"}).write(at.record); err != nil {
		t.Fatal(err)
	}
	if got := name(""); got != "known" {
		t.Errorf("of a checkout with a cluster it is %s", got)
	}
	t.Setenv(clusterVariable, "wanted")
	if got := name(""); got != "wanted" {
		t.Errorf("with the environment it is %s", got)
	}
	if got := name("given"); got != "given" {
		t.Errorf("given, it is %s", got)
	}
}

func TestEachStepIsALineWithItsTimeAndAFailedOneIsNone(t *testing.T) {
	var out bytes.Buffer
	shown := board{line: progress.New(&out)}
	if err := shown.step("one", func(func(string)) (string, error) { return "done well", nil }); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	if err := shown.step("two", func(func(string)) (string, error) { return "", failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	fmt.Fprint(&shown, "from another\nprogram\n")
	text := out.String()
	if strings.Count(text, "\n") != 3 || !strings.Contains(text, " s  done well") || strings.Contains(text, "two") ||
		!strings.Contains(text, "    from another\n    program\n") {
		t.Errorf("it says:\n%s", text)
	}
	if len(shown.times) != 2 || shown.times.Total() != shown.times.Of("one")+shown.times.Of("two") {
		t.Errorf("times %v", shown.times)
	}
}

func TestWhatKindIsAboutToDoIsSaidInPlainLetters(t *testing.T) {
	var said []string
	l := logger{say: func(text string) { said = append(said, text) }}
	l.V(0).Infof(" • %s  ...\n", "Starting control-plane 🕹️")
	l.V(0).Infof(" ✓ %s\n", "Starting control-plane 🕹️")
	l.V(1).Info(" • debug")
	l.Warn("cgroup v1")
	if len(said) != 1 || said[0] != "Starting control-plane" {
		t.Errorf("said %q", said)
	}
}
