package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

func TestOnlyWhatAnswersIsNamed(t *testing.T) {
	answer := func(contentType, body string, status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/") { // every program answers its API
				w.Header().Set("Content-Type", "application/json")
				return
			}
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	stack := endpoints.Stack{Endpoints: endpoints.Endpoints{
		Alertmanager: answer("text/html; charset=utf-8", "<html>alerts</html>", http.StatusOK),
		Prometheus:   answer("text/plain", "no page in this build", http.StatusNotFound),
		Jaeger:       answer("text/html", "<h1>This is not the Jaeger UI you are looking for!</h1>", http.StatusOK),
		Storefront:   answer("application/json", "[]", http.StatusOK),
		Grafana:      answer("text/html; charset=UTF-8", "<html>dashboards</html>", http.StatusOK),
		Autoheal:     "http://127.0.0.1:1", // nobody there
	}}
	var out strings.Builder
	where(t.Context(), &out, stack)
	for _, want := range []string{
		stack.Endpoints.Alertmanager + "/\n", stack.Endpoints.Storefront + "/products\n", stack.Endpoints.Grafana + "/dashboards\n",
		"metrics, as JSON", stack.Endpoints.Prometheus + "/api/v1/query?query=up\n", stack.Endpoints.Jaeger + "/api/traces",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not name %q:\n%s", want, out.String())
		}
	}
	for _, not := range []string{"/search", ":1/api", stack.Endpoints.Prometheus + "/query\n"} {
		if strings.Contains(out.String(), not) {
			t.Errorf("it names %q:\n%s", not, out.String())
		}
	}
}
