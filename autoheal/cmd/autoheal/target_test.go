package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/edge/edgetest"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/kube"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// dumb are senses that tell nobody.
func dumb(t *testing.T) *telemetry.Telemetry {
	t.Helper()
	senses, err := telemetry.Start(t.Context(), telemetry.Config{Service: "autoheal", Instance: "autoheal-1"})
	if err != nil {
		t.Fatal(err)
	}
	return senses
}

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
			_, err := tc.flags.open(http.DefaultClient, "test", dumb(t))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v; want %q", err, tc.want)
			}
		})
	}
}

// kubeconfig leads to an API server.
func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c"}}],
	  "clusters":[{"name":"c","cluster":{"server":"` + server + `"}}]}`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A cluster that does not answer is no reason not to start, and its kill switch counts as on.
func TestAClusterThatDoesNotAnswer(t *testing.T) {
	found, err := targetFlags{KubernetesNamespace: "faultline", Kubeconfig: kubeconfig(t, nowhere(t)), KillSwitchConfigmap: "autoheal-off"}.
		open(http.DefaultClient, "test", dumb(t))
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
}

// An API server that allows nothing but events is enough to see that a restart which came to nothing is told.
func TestWhatBecameOfARestartIsAnEventInTheCluster(t *testing.T) {
	told := make(chan corev1.Event, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var event corev1.Event
		body, _ := io.ReadAll(r.Body) // what comes may be protobuf
		_, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, &event)
		if r.Method != http.MethodPost || err != nil {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(event) // what the healer makes of the answer is not the point
		told <- event
	}))
	t.Cleanup(server.Close)
	found, err := targetFlags{KubernetesNamespace: "faultline", Kubeconfig: kubeconfig(t, server.URL)}.
		open(http.DefaultClient, "test", dumb(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(found.stop)
	restart, err := remedy.NewRestartReplicas(found.control)
	if err != nil {
		t.Fatal(err)
	}
	effect := found.announced(restart).Apply(t.Context(), remedy.Application{
		Target: incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "uid.0"}, Timeout: 5 * time.Second,
	})
	if effect.Result != incident.ResultFailed {
		t.Fatalf("effect %+v", effect)
	}
	select {
	case event := <-told:
		if event.Reason != kube.Failed || event.InvolvedObject.Name != "orders-1" || event.Namespace != "faultline" {
			t.Errorf("event %+v", event)
		}
	case <-time.After(30 * time.Second):
		t.Error("no event came")
	}
}

func TestTheEdgeIsToldAtTheAddressThatTheFlagsSay(t *testing.T) {
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	replica := edgetest.New("storefront-1", "secret")
	address := replica.Serve(t)
	host, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	shop := one{Name: "shop", Replicas: []workload.Replica{{ID: "shop-1", State: workload.Ready, Address: net.JoinHostPort(host, "1")}}}
	for name, tc := range map[string]struct {
		flags    edgeControlFlags
		workload string
		refused  string // when it is opened
		mute     bool
	}{
		"a fixed address":                  {edgeControlFlags{EdgeControlURL: address, EdgeControlTokenFile: tokenFile}, "", "", false},
		"a port of the ready replicas":     {edgeControlFlags{EdgeControlPort: number, EdgeControlTokenFile: tokenFile}, "shop", "", false},
		"nothing":                          {edgeControlFlags{}, "shop", "", true},
		"both":                             {edgeControlFlags{EdgeControlURL: address, EdgeControlPort: 1}, "shop", "give one of them", false},
		"a port of nobody":                 {edgeControlFlags{EdgeControlPort: 1, EdgeControlTokenFile: tokenFile}, "", "give --edge-workload", false},
		"no token":                         {edgeControlFlags{EdgeControlURL: address}, "", "give --edge-control-token-file", false},
		"a token and nobody to send it to": {edgeControlFlags{EdgeControlTokenFile: tokenFile}, "", "give --edge-control-url", false},
		"a token that is not there":        {edgeControlFlags{EdgeControlURL: address, EdgeControlTokenFile: "none"}, "", "--edge-control-token-file: open none", false},
	} {
		t.Run(name, func(t *testing.T) {
			door, err := tc.flags.open(http.DefaultClient, shop, tc.workload)
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) {
					t.Errorf("%v; want %q", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = door.SetMode(t.Context(), edge.ModeChange{Mode: edge.Normal, If: edge.Normal})
			if (err != nil) != tc.mute || tc.mute && !strings.Contains(err.Error(), "--edge-control-url") {
				t.Errorf("told: %v", err)
			}
		})
	}
}

// one is a workload list of one.
type one workload.Workload

func (o one) Workload(context.Context, string) (workload.Workload, error) {
	return workload.Workload(o), nil
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
