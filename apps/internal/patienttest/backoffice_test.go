package patienttest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/patienttest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
)

const somePart = `{"batch":"nightly-2026-11-28","part":3,"lines":[{"customer":"m-1","sku":"SKU-0001","quantity":2}]}`

func ask(t *testing.T, p *patienttest.Patient, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, p.Storefront.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(text))
}

func TestTheBackOfficeGoesThroughTheEdge(t *testing.T) {
	p := patienttest.Start(t)
	for range 2 {
		if status, text := ask(t, p, http.MethodPost, "/imports", somePart); status != 202 || text != `{"accepted":1}` {
			t.Fatalf("%d %s", status, text)
		}
	}
	if n := count(t, postgrestest.Connect(t, p.OrdersDB), `SELECT count(*) FROM imported_lines`); n != 1 {
		t.Errorf("%d lines, want one", n)
	}
	if status, answer := p.Checkout("report", oneItem); status != 201 {
		t.Fatalf("%d %v", status, answer)
	}
	// Longer than any customer's request may take: two days, a pause of 0.5 s each.
	begun := time.Now()
	status, text := ask(t, p, http.MethodGet, "/reports/revenue?days=2", "")
	if status != 200 || !strings.Contains(text, `"orders":1,"revenue_cents":500`) || !strings.HasSuffix(text, `"total_cents":500}`) {
		t.Errorf("%d %s", status, text)
	}
	if took := time.Since(begun); took < 950*time.Millisecond {
		t.Errorf("the report took %s, so it says nothing about the deadlines", took)
	}
	for path, want := range map[string]int{"/reports/revenue?days=0": 400, "/reports/revenue?days=999": 400, "/reports/costs": 404} {
		if status, text := ask(t, p, http.MethodGet, path, ""); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, text, want)
		}
	}
}

func TestAReplicaEndsInTimeAlthoughReportsRun(t *testing.T) {
	p := patienttest.Start(t)
	admin := postgrestest.Connect(t, p.OrdersDB)
	const running = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%generate_series%'
		AND pid <> pg_backend_pid()`
	answers := make(chan int, 2)
	for _, replica := range p.Orders {
		go func() {
			request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, replica.URL+"/reports/revenue?days=100", nil)
			if err != nil {
				t.Error(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				answers <- 0
				return
			}
			response.Body.Close()
			answers <- response.StatusCode
		}()
	}
	postgrestest.Eventually(t, "both reports run", func() bool { return count(t, admin, running) == 2 })
	for _, replica := range p.Orders {
		begun := time.Now()
		if err := replica.Stop(t); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > 1500*time.Millisecond {
			t.Errorf("ended after %s, want about a second at most", took)
		}
		if status := <-answers; status != 503 {
			t.Errorf("the report's reader got %d, want 503", status)
		}
		if log := replica.Log.String(); strings.Contains(log, "cut off") {
			t.Errorf("the report was cut off instead of ended:\n%s", log)
		}
	}
	postgrestest.Eventually(t, "no report runs in the database any more", func() bool { return count(t, admin, running) == 0 })
}
