package bot

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

const firingAlert = `{"version":"4","alerts":[{"status":"firing","fingerprint":"f","startsAt":"2026-03-01T12:00:00Z",
	"labels":{"alertname":"ConnectionPoolExhausted","workload":"orders","instance":"orders-2"}}]}`

// supervisor is a control API whose replicas are replaced at once, and an edge with its modes.
type supervisor struct {
	mu        sync.Mutex
	restarted []string
	modes     []string
	mode      string
}

func (s *supervisor) serve(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/workloads", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		start := strings.Repeat("x", len(s.restarted)+1)
		_, _ = w.Write([]byte(`{"workloads":[{"name":"orders","desired":2,"replicas":[
			{"id":"orders-1","start_id":"a","state":"ready"},{"id":"orders-2","start_id":"` + start + `","state":"ready"}]}]}`))
	})
	mux.HandleFunc("POST /v1/workloads/orders/replicas/{id}/restart", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.restarted = append(s.restarted, r.PathValue("id"))
	})
	mux.HandleFunc("GET /v1/state", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]string{"mode": s.mode})
	})
	mux.HandleFunc("PUT /v1/mode", func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Mode, If string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.modes = append(s.modes, body.If+">"+body.Mode)
		s.mode = body.Mode
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// start starts a bot against the supervisor; say sends it a webhook.
func start(t *testing.T, name string, s *supervisor) (b *Bot, say func(token, body string) int) {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	place, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = place.Close()
	server := s.serve(t)
	stack := endpoints.Stack{
		Target:           endpoints.Local,
		Endpoints:        endpoints.Endpoints{Autoheal: "http://" + place.Addr().String(), Control: server.URL, EdgeControl: server.URL},
		ControlTokenFile: token, WebhookTokenFile: token, EdgeControlTokenFile: token,
	}
	control, err := target.Open(stack)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = Start(context.WithoutCancel(t.Context()), name, stack, control); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop() })
	return b, func(token, body string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stack.Endpoints.Autoheal+"/webhook/alertmanager", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
}

func awaitAction(t *testing.T, b *Bot) {
	t.Helper()
	for {
		if done, _ := b.Done(); len(done) > 0 {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the bot did nothing")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestTheRestartBotRestartsTheReplicaThatTheAlertNames(t *testing.T) {
	s := &supervisor{}
	b, say := start(t, "restart-bot", s)
	if status := say("wrong", firingAlert); status != http.StatusUnauthorized {
		t.Errorf("a wrong token was answered %d", status)
	}
	if status := say("secret", firingAlert); status != http.StatusAccepted {
		t.Errorf("the webhook was answered %d", status)
	}
	awaitAction(t, b)
	done, received := b.Done()
	if len(done) != 1 || done[0].Target != "orders-2" || done[0].Result != "done" || received == nil {
		t.Errorf("done %+v, received %v; want orders-2 restarted", done, received)
	}
}

func TestTheAcceptBotSwitchesTheEdgeWhateverTheAlertSays(t *testing.T) {
	s := &supervisor{mode: "normal"}
	b, say := start(t, "accept-bot", s)
	say("secret", firingAlert)
	awaitAction(t, b)
	done, _ := b.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if done[0].Remedy != "accept" || len(s.modes) == 0 || s.modes[0] != "normal>accept" {
		t.Errorf("done %+v, modes %v", done, s.modes)
	}
}

func TestAnAlertIsAnsweredAgainOnlyWhileItFires(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := &Bot{habit: restarter{}, firing: map[string]*standing{}}
	fires := alert{Status: "firing", Fingerprint: "f", StartsAt: noon}
	b.take([]alert{fires, fires}, noon)
	if due := b.due(noon); len(due) != 1 {
		t.Errorf("%d alerts are due, want the one that fires", len(due))
	}
	if due := b.due(noon.Add(time.Second)); len(due) != 0 {
		t.Errorf("a second later it is due again: %v", due)
	}
	if due := b.due(noon.Add(10 * time.Second)); len(due) != 1 {
		t.Error("after ten seconds of firing it is not answered again")
	}
	b.take([]alert{{Status: "resolved", Fingerprint: "f", StartsAt: noon}}, noon)
	if due := b.due(noon.Add(time.Minute)); len(due) != 0 {
		t.Errorf("an alert that has ended is due: %v", due)
	}
}
