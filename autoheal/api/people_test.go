package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/guard"
)

func TestPeopleAnswerPauseAndResume(t *testing.T) {
	for _, test := range []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"an approval", "/incidents/asks/approve", `{"by":"ada","comment":"go on"}`, 202, `"answer":"approved","by":"ada","comment":"go on"`},
		{"an approval of the question that was read", "/incidents/asks/approve", `{"by":"ada","asked_at":"2026-01-02T03:04:05Z"}`, 202, `"asked_at":"2026-01-02T03:04:05Z"`},
		{"a denial", "/incidents/asks/deny", `{"by":"ada"}`, 202, `"answer":"denied"`},
		{"an answer to a question of yesterday", "/incidents/asks/approve", `{"by":"ada","asked_at":"2026-01-01T03:04:05Z"}`, 409, `"conflict"`},
		{"an answer that nobody asked for", "/incidents/old/approve", `{"by":"ada"}`, 409, "there is no open question"},
		{"an answer about nothing", "/incidents/none/approve", `{"by":"ada"}`, 404, `"not_found"`},
		{"an answer by nobody", "/incidents/asks/approve", `{"comment":"go on"}`, 400, "by is missing: say who you are"},
		{"a name of two lines", "/incidents/asks/approve", `{"by":"ada\nboss"}`, 400, "at most 100 characters in one line"},
		{"a misspelt field", "/incidents/asks/approve", `{"by":"ada","askedAt":"2026-01-01T03:04:05Z"}`, 400, "unknown field"},
		{"no JSON", "/incidents/asks/approve", `yes`, 400, `"bad_request"`},
		{"more than JSON", "/incidents/asks/approve", `{"by":"ada"}{"by":"bob"}`, 400, "the body goes on"},
		{"an endless comment", "/incidents/asks/deny", `{"by":"ada","comment":"` + strings.Repeat("a", 3000) + `"}`, 400, "comment is too long"},
		{"an endless body", "/incidents/asks/deny", `{"by":"` + strings.Repeat("a", 1<<20) + `"}`, 400, `"bad_request"`},
		{"a pause", "/pause", `{"by":"ada","reason":"a release"}`, 200, `"paused":{"by":"ada","reason":"a release","at":"2026-01-02T03:04:05Z"}`},
		{"a pause without a reason", "/pause", `{"by":"ada"}`, 400, "reason is missing"},
		{"a pause by nobody", "/pause", `{"reason":"a release"}`, 400, "by is missing"},
		{"an end of the pause", "/resume", `{"by":"ada"}`, 200, `"paused":null`},
		{"an end of the pause by nobody", "/resume", `{}`, 400, "by is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := serve(t, nil)
			for token, want := range map[string]int{"": 401, "wrong": 401} {
				if status, _ := call(t, "POST", url+"/api/v1"+test.path, test.body, token); status != want {
					t.Fatalf("with the token %q: %d", token, status)
				}
			}
			status, body := call(t, "POST", url+"/api/v1"+test.path, test.body, "secret")
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("answered %d %s; want %d with %s", status, body, test.status, test.want)
			}
		})
	}
}

func TestAQuestionIsAnsweredOnceAndTheAnswerIsInTheAudit(t *testing.T) {
	url := serve(t, nil)
	for _, want := range []int{202, 409} {
		if status, body := call(t, "POST", url+"/api/v1/incidents/asks/approve", `{"by":"ada","comment":"go"}`, "secret"); status != want {
			t.Errorf("answered %d %s; want %d", status, body, want)
		}
	}
	if _, body := get(t, url+"/api/v1/incidents/asks/audit"); strings.Count(body, "approved by ada: go") != 1 {
		t.Errorf("the audit: %s", body)
	}
}

func TestWithoutATokenEveryChangeIsRefusedAndReadsAreNot(t *testing.T) {
	cfg := config(t, nil)
	cfg.Token = ""
	server := httptest.NewServer(handler(t, cfg))
	defer server.Close()
	for _, path := range []string{"/incidents/x/approve", "/incidents/x/deny", "/pause", "/resume"} {
		status, body := call(t, "POST", server.URL+"/api/v1"+path, `{"by":"ada","reason":"r"}`, "")
		if status != 403 || !strings.Contains(body, "start autoheal with --api-token-file") {
			t.Errorf("%s answered %d %s", path, status, body)
		}
	}
	if status, _ := get(t, server.URL+"/api/v1/status"); status != 200 {
		t.Errorf("the status answered %d", status)
	}
}

func TestTheStatusSaysHowTheHealerStands(t *testing.T) {
	for s, want := range map[guard.Switch]string{guard.SwitchOn: `"on"`, guard.SwitchOff: `"off"`, guard.SwitchUnknown: `"unknown"`} {
		cfg := config(t, nil)
		cfg.Switch = func() guard.Switch { return s }
		server := httptest.NewServer(handler(t, cfg))
		if _, body := get(t, server.URL+"/api/v1/status"); !strings.Contains(body, `"kill_switch":`+want+`,"open":0,"awaiting":0,"autonomy":"approve"`) {
			t.Errorf("the status is %s", body)
		}
		server.Close()
	}
	if _, body := get(t, serve(t, nil)+"/api/v1/status"); !strings.Contains(body, `"open":2,"awaiting":1`) {
		t.Errorf("the status is %s", body)
	}
}

func TestAChangeWakesTheEngine(t *testing.T) {
	cfg := config(t, nil)
	woken := 0
	cfg.Wake = func() { woken++ }
	server := httptest.NewServer(handler(t, cfg))
	defer server.Close()
	call(t, "POST", server.URL+"/api/v1/pause", `{"by":"ada","reason":"r"}`, "secret")
	call(t, "POST", server.URL+"/api/v1/resume", `{"by":"ada"}`, "secret")
	if woken != 2 {
		t.Errorf("woken %d times", woken)
	}
}
