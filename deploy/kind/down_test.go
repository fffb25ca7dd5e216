package kind

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// engineWith answers as an engine; the rest of the script says what else it has.
const engineWith = `case $1 in version) echo 27.1.0 linux amd64; exit;; info) echo 2; exit;; esac
`

func TestDownWithoutAClusterClearsWhatSaysThatThereIsOne(t *testing.T) {
	at := checkout(t)
	fakeDocker(t, engineWith)
	for path, text := range map[string]string{at.kubeconfig: "x", at.WebhookToken: "x", at.record: `{"cluster":"x"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := endpoints.Write(at.Stack, endpoints.Stack{Target: endpoints.Kind}); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	for range 2 {
		if err := Down(t.Context(), Config{Root: at.Root, Progress: &said}); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(said.String(), "no kind cluster called x") {
		t.Errorf("it says %q; the name is the one that the checkout knows", said.String())
	}
	for _, path := range []string{at.kubeconfig, at.record, at.Stack, at.WebhookToken} {
		if exists(path) {
			t.Errorf("%s is left", path)
		}
	}
}

func TestDownLeavesTheFilesOfALocalStackAlone(t *testing.T) {
	at := checkout(t)
	fakeDocker(t, engineWith)
	if err := endpoints.Write(at.Stack, endpoints.Stack{Target: endpoints.Local}); err != nil {
		t.Fatal(err)
	}
	touch(t, at.WebhookToken)
	if known, err := Known(at.Folders); known || err != nil {
		t.Errorf("a cluster is known: %v, %v", known, err)
	}
	if err := Down(t.Context(), Config{Root: at.Root}); err != nil {
		t.Fatal(err)
	}
	if !exists(at.Stack) || !exists(at.WebhookToken) {
		t.Error("they are gone")
	}
}

func TestDownWithoutAnEngineFailsOnlyWhenThereIsSomethingToDelete(t *testing.T) {
	at := checkout(t)
	fakeDocker(t, "")
	if err := Down(t.Context(), Config{Root: at.Root}); err != nil {
		t.Errorf("nothing was ever made, and it says %v", err)
	}
	if err := (record{Cluster: "x", Ports: bound{"30080/tcp": "8080"}}).write(at.record); err != nil {
		t.Fatal(err)
	}
	err := Down(t.Context(), Config{Root: at.Root})
	if !errors.Is(err, ErrNoEngine) || !strings.Contains(err.Error(), "cluster x") {
		t.Errorf("it says %v", err)
	}
	if !exists(at.record) {
		t.Error("the cluster is forgotten")
	}
}

func TestAStrangersClusterIsNeverDeleted(t *testing.T) {
	at := checkout(t)
	log := t.TempDir() + "/log"
	// A stopped node: whose it is cannot be asked.
	fakeDocker(t, engineWith+`echo "$@" >> `+log+`
case $1 in
ps) echo abc;;
container) echo '{"Id":"abc","Name":"/faultline-control-plane","State":{"Running":false}}';;
*) exit 1;;
esac`)
	err := Down(t.Context(), Config{Root: at.Root})
	if err == nil || !strings.Contains(err.Error(), "cannot be told") {
		t.Errorf("it says %v", err)
	}
	if _, _, err := Up(t.Context(), Config{Root: at.Root}); err == nil || !strings.Contains(err.Error(), "cannot be told") {
		t.Errorf("up says %v", err)
	}
	asked, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(asked)) {
		if !strings.HasPrefix(line, "ps ") && !strings.HasPrefix(line, "container inspect ") {
			t.Errorf("docker was told to %s", line)
		}
	}
}

func TestUpAndDownRefuseWhileALocalStackOfTheCheckoutRuns(t *testing.T) {
	at := checkout(t)
	fakeDocker(t, engineWith)
	lock, err := runlock.Acquire(t.Context(), at.Lock, "stack run")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	var held *runlock.HeldError
	if _, _, err := Up(t.Context(), Config{Root: at.Root}); !errors.As(err, &held) || !strings.Contains(err.Error(), "stack down") {
		t.Errorf("up says %v", err)
	}
	if err := Down(t.Context(), Config{Root: at.Root}); !errors.As(err, &held) {
		t.Errorf("down says %v", err)
	}
}
