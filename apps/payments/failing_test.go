package payments_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const order = `{"order_id":"o-1","amount_cents":500,"customer":"c-1"}`

func TestPaymentsFailForAsLongAsItWasAskedForAndThenNoMore(t *testing.T) {
	s := newSlow(t)
	synctest.Test(t, func(t *testing.T) {
		status, text := s.ask(http.MethodPut, "/v1/errors", "", `{"share":1,"for":"60s"}`)
		if want := `{"share":1,"until":"` + time.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano) + `"}`; status != http.StatusOK || text != want {
			t.Errorf("%d %s, want %s", status, text, want)
		}
		for range 20 {
			if status, text := s.ask(http.MethodPost, "/authorizations", "k", order); status != http.StatusInternalServerError || strings.Contains(text, "share") {
				t.Fatalf("%d %s, want 500 that does not tell why", status, text)
			}
		}
		time.Sleep(time.Minute)
		s.pay(t, "k")
		if status, text := s.ask(http.MethodGet, "/v1/errors", "", ""); status != http.StatusOK || text != `{"share":0}` {
			t.Errorf("%d %s", status, text)
		}
	})
}

func TestAShareOfThePaymentsFails(t *testing.T) {
	s := newSlow(t)
	synctest.Test(t, func(t *testing.T) {
		s.ask(http.MethodPut, "/v1/errors", "", `{"share":0.5,"for":"10m"}`)
		failed := 0
		for range 200 {
			if status, _ := s.ask(http.MethodPost, "/authorizations", "k", order); status == http.StatusInternalServerError {
				failed++
			}
		}
		if failed < 50 || failed > 150 {
			t.Errorf("%d of 200 failed, want about half", failed)
		}
		s.ask(http.MethodPut, "/v1/errors", "", `{"share":0}`)
		s.pay(t, "k")
	})
}

func TestFailuresThatCannotBeHad(t *testing.T) {
	s := newSlow(t)
	for body, want := range map[string]int{
		`{"share":1}`:               http.StatusBadRequest, // for ever is not to be had
		`{"share":1,"for":"16m"}`:   http.StatusBadRequest,
		`{"for":"60s"}`:             http.StatusBadRequest,
		`hello`:                     http.StatusBadRequest,
		`{"share":1.5,"for":"60s"}`: http.StatusUnprocessableEntity,
		`{"share":-1,"for":"60s"}`:  http.StatusUnprocessableEntity,
	} {
		if status, text := s.ask(http.MethodPut, "/v1/errors", "", body); status != want || !strings.Contains(text, `"message"`) {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	s.ask(http.MethodPut, "/v1/errors", "", `{"share":1}`)
	if _, text := s.ask(http.MethodGet, "/v1/errors", "", ""); text != `{"share":0}` {
		t.Errorf("a refused change left %s", text)
	}
}
