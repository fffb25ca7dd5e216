package local

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/deploy/local/stack"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

func TestALongStartIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		board := newBoard(&out)
		err := board.during(func() error {
			board.show(supervisor.Progress{Part: "loki", Phase: supervisor.PhaseStarting})
			board.show(supervisor.Progress{Part: "jaeger", Phase: supervisor.PhaseStarting})
			time.Sleep(6 * time.Second)
			board.show(supervisor.Progress{Part: "jaeger", Phase: supervisor.PhaseReady, Took: 6 * time.Second})
			time.Sleep(6 * time.Second)
			return errors.New("its end")
		})
		if err == nil || err.Error() != "its end" {
			t.Errorf("the error is %v", err)
		}
		want := "  waiting for jaeger (5 s), loki (5 s)\n  jaeger          ready      6.0 s\n  waiting for loki (10 s)\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

func TestTokensAreLongAndNeverTheSame(t *testing.T) {
	first, second := newToken(), newToken()
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(first) || first == second {
		t.Errorf("%q and %q", first, second)
	}
}

// checkout is a root with files where our binaries are looked for.
func checkout(t *testing.T) folders.Folders {
	t.Helper()
	paths, err := folders.In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(paths.Bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, program := range stack.Binaries() {
		if err := os.WriteFile(filepath.Join(paths.Bin, program), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func TestARefusedRunLeavesTheLockFreeAndTheLastRunsLogsInPlace(t *testing.T) {
	paths := checkout(t)
	if err := paths.Make(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(paths.Log("orders-1"), []byte("why it failed"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := ports.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set[ports.Loki] = 70000 // no port at all
	if err := Run(t.Context(), Options{Root: paths.Root, Ports: set}); err == nil || !strings.Contains(err.Error(), "loki") {
		t.Fatalf("got %v, want an error about the port of loki", err)
	}
	if _, held, err := runlock.Current(paths.Lock); held || err != nil {
		t.Errorf("the lock is held: %v (%v)", held, err)
	}
	if _, err := os.Stat(paths.Log("orders-1")); err != nil {
		t.Errorf("the log of the last run: %v", err)
	}
}

func TestGrafanasPortIsAskedForOnlyWhereThereIsAGrafana(t *testing.T) {
	set := ports.Default()
	if _, asked := needed(set, nil)[ports.Grafana]; asked || len(needed(set, nil)) != len(set)-1 {
		t.Errorf("without a Grafana its port is asked for: %v, of %d ports %d are", asked, len(set), len(needed(set, nil)))
	}
	if _, asked := needed(set, &stack.Grafana{})[ports.Grafana]; !asked {
		t.Error("with a Grafana its port is not asked for")
	}
}

func TestOptionsNeedARoot(t *testing.T) {
	if err := Run(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "root") {
		t.Errorf("got %v", err)
	}
}
