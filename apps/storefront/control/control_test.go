package control_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/faultline-lab/faultline/apps/storefront/control"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
)

const token = "open-sesame"

type port struct{ http.Handler }

// newPort is a control port; without a queue when backlog is nil.
func newPort(t *testing.T, backlog func(context.Context) (control.Backlog, error)) port {
	t.Helper()
	keeper, err := mode.NewKeeper(mode.Config{Log: slog.New(slog.DiscardHandler), MeterProvider: noop.NewMeterProvider()})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := control.Handler(control.Config{
		Keeper: keeper, Token: token, Backlog: backlog,
		Backends: func() control.Backends { return control.Backends{Stable: 2} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return port{handler}
}

func seven(context.Context) (control.Backlog, error) {
	return control.Backlog{Waiting: 7, OldestSeconds: 1.5}, nil
}

func (p port) ask(method, path, with, body string) (status int, text string) {
	request := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	if with != "" {
		request.Header.Set("Authorization", "Bearer "+with)
	}
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, request)
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

func TestTheStateIsThatOfTheContract(t *testing.T) {
	p := newPort(t, seven)
	want := `{"mode":"normal","mode_until":null,"mode_by":"","admit":0,"weights":{"stable":100,"standby":0},"weights_until":null,` +
		`"weights_by":"","queue":{"waiting":7,"oldest_s":1.5},"backends":{"stable":2,"standby":0}}`
	if status, text := p.ask(http.MethodGet, "/v1/state", "", ""); status != http.StatusOK || text != want {
		t.Errorf("%d %s, want %s", status, text, want)
	}
}

func TestAChangeIsAnsweredWithTheStateAndEndsByItself(t *testing.T) {
	p := newPort(t, seven)
	synctest.Test(t, func(t *testing.T) {
		status, text := p.ask(http.MethodPut, "/v1/mode", token, `{"mode":"shed","for":"15s","if":"normal","by":"autoheal/7","admit":60}`)
		var got struct {
			Mode      string
			ModeUntil time.Time `json:"mode_until"`
			By        string    `json:"mode_by"`
			Admit     int
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		if got.Mode != "shed" || got.By != "autoheal/7" || got.Admit != 60 || time.Until(got.ModeUntil) != 15*time.Second {
			t.Errorf("answered %s", text)
		}
		status, text = p.ask(http.MethodPut, "/v1/weights", token, `{"stable":0,"standby":100,"for":"30s","if":{"stable":100,"standby":0},"by":"x"}`)
		if status != http.StatusOK || !strings.Contains(text, `"weights":{"stable":0,"standby":100}`) || !strings.Contains(text, `"weights_by":"x"`) {
			t.Errorf("%d %s", status, text)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if _, text := p.ask(http.MethodGet, "/v1/state", "", ""); !strings.Contains(text, `"mode":"normal"`) || !strings.Contains(text, `"stable":100`) {
			t.Errorf("after its time: %s", text)
		}
	})
}

func TestWhatCannotBeHadIsRefusedWithWhatToChange(t *testing.T) {
	for name, tt := range map[string]struct {
		path, with, body string
		status           int
		text             string
	}{
		"no token":                   {"/v1/mode", "", `{"mode":"shed","for":"15s","admit":5}`, 401, "--control-token-file"},
		"another token":              {"/v1/mode", "guess", `{"mode":"shed","for":"15s","admit":5}`, 401, "Bearer"},
		"no such mode":               {"/v1/mode", token, `{"mode":"fast","for":"15s"}`, 400, "defer-payment"},
		"expects no such mode":       {"/v1/mode", token, `{"mode":"accept","for":"15s","if":"x"}`, 400, "if="},
		"for ever":                   {"/v1/mode", token, `{"mode":"accept"}`, 400, "15s"},
		"too short":                  {"/v1/mode", token, `{"mode":"accept","for":"900ms"}`, 400, "from 1s"},
		"too long":                   {"/v1/mode", token, `{"mode":"accept","for":"31m"}`, 400, "30m"},
		"sheds how many":             {"/v1/mode", token, `{"mode":"shed","for":"15s"}`, 400, "admit=0"},
		"expects another mode":       {"/v1/mode", token, `{"mode":"accept","for":"15s","if":"shed"}`, 409, "the mode is normal"},
		"no JSON":                    {"/v1/mode", token, `{`, 400, "JSON"},
		"half a share":               {"/v1/weights", token, `{"stable":50,"for":"15s"}`, 400, "add up to 100"},
		"more than all":              {"/v1/weights", token, `{"stable":100,"standby":100,"for":"15s"}`, 400, "add up to 100"},
		"less than nothing":          {"/v1/weights", token, `{"stable":200,"standby":-100,"for":"15s"}`, 400, "add up to 100"},
		"weights for ever":           {"/v1/weights", token, `{"stable":0,"standby":100}`, 400, "15s"},
		"expects other weights":      {"/v1/weights", token, `{"stable":0,"standby":100,"for":"15s","if":{"stable":50,"standby":50}}`, 409, "100 to 0"},
		"usual weights need no time": {"/v1/weights", token, `{"stable":100,"standby":0}`, 200, `"weights_until":null`},
		"normal needs no time":       {"/v1/mode", token, `{"mode":"normal"}`, 200, `"mode_until":null`},
	} {
		t.Run(name, func(t *testing.T) {
			if status, text := newPort(t, seven).ask(http.MethodPut, tt.path, tt.with, tt.body); status != tt.status || !strings.Contains(text, tt.text) {
				t.Errorf("%d %s, want %d with %q", status, text, tt.status, tt.text)
			}
		})
	}
}

func TestWithoutAQueueNothingIsAccepted(t *testing.T) {
	status, text := newPort(t, nil).ask(http.MethodPut, "/v1/mode", token, `{"mode":"accept","for":"15s"}`)
	if status != http.StatusBadRequest || !strings.Contains(text, "--queue") {
		t.Errorf("%d %s, want 400 that names the flag", status, text)
	}
}
