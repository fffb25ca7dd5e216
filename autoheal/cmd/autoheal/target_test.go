package main

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/guard"
)

func TestWhoRunsTheWorkloadsMustBeSaid(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for name, tc := range map[string]struct {
		flags targetFlags
		want  string
	}{
		"nobody":                          {targetFlags{}, "--control-token-file (the supervisor) or --kubernetes-namespace"},
		"a token that is not there":       {targetFlags{ControlTokenFile: "none"}, "--control-token-file: open none"},
		"a kubeconfig without namespace":  {targetFlags{Kubeconfig: "x"}, "give that as well"},
		"a ConfigMap without namespace":   {targetFlags{KillSwitchConfigmap: "x", ControlTokenFile: "x"}, "give that as well"},
		"a namespace outside any cluster": {targetFlags{KubernetesNamespace: "faultline"}, "give --kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tc.flags.open(http.DefaultClient, "test", slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v; want %q", err, tc.want)
			}
		})
	}
}

// A cluster that does not answer is no reason not to start, and its kill switch counts as on.
func TestAClusterThatDoesNotAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c"}}],
	  "clusters":[{"name":"c","cluster":{"server":"` + nowhere(t) + `"}}]}`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := targetFlags{KubernetesNamespace: "faultline", Kubeconfig: path, KillSwitchConfigmap: "autoheal-off"}.
		open(http.DefaultClient, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(found.stop)
	if got := found.killSwitch(); got != guard.SwitchUnknown {
		t.Errorf("kill switch %v; want unknown", got)
	}
	if _, err := found.control.Workloads(t.Context()); err == nil {
		t.Error("workloads of a cluster that does not answer")
	}
	if found.restart.Name() != "restart-replicas" {
		t.Errorf("remedy %s", found.restart.Name())
	}
}

func TestTwoKillSwitchesAreOffOnlyTogether(t *testing.T) {
	states := []guard.Switch{guard.SwitchUnknown, guard.SwitchOff, guard.SwitchOn}
	for _, a := range states {
		for _, b := range states {
			want := guard.SwitchUnknown
			switch {
			case a == guard.SwitchOn || b == guard.SwitchOn:
				want = guard.SwitchOn
			case a == guard.SwitchOff && b == guard.SwitchOff:
				want = guard.SwitchOff
			}
			if got := either(fixed(a), fixed(b))(); got != want {
				t.Errorf("%v and %v: %v; want %v", a, b, got, want)
			}
		}
	}
}

func fixed(s guard.Switch) func() guard.Switch { return func() guard.Switch { return s } }
