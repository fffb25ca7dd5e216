package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// place is something to look at while the stack is up.
type place struct {
	what string
	url  string
	page bool // for a browser; shown only if the program brings its page
	// instead is what answers where the page is missing: programs built from their modules have none.
	instead string
}

func places(e endpoints.Endpoints) []place {
	return []place{
		{what: "the incidents, as the healer recorded them", url: e.Autoheal + "/api/v1/incidents"},
		{what: "the client's seconds", url: e.Loadgen + "/v1/sli"},
		{what: "the shop", url: e.Storefront + "/products"},
		{what: "workloads and their replicas", url: e.Control + "/v1/workloads"}, // on Kubernetes kubectl tells
		{what: "dashboards", url: e.Grafana + "/dashboards", page: true},         // where a Grafana runs
		{what: "alerts", url: e.Alertmanager + "/", page: true, instead: e.Alertmanager + "/api/v2/alerts"},
		{what: "metrics", url: e.Prometheus + "/query", page: true, instead: e.Prometheus + "/api/v1/query?query=up"},
		{what: "traces", url: e.Jaeger + "/search", page: true, instead: e.Jaeger + "/api/traces?service=storefront&limit=5"},
	}
}

// where lists the places that answer, so that nobody is sent to a page that is not there.
func where(ctx context.Context, stdout io.Writer, stack endpoints.Stack) {
	fmt.Fprintln(stdout, "Where to look:")
	for _, place := range places(stack.Endpoints) {
		if !answers(ctx, place) {
			place = instead(place)
			if place.url == "" || !answers(ctx, place) {
				continue
			}
		}
		fmt.Fprintf(stdout, "  %-44s %s\n", place.what, place.url)
	}
	if k := stack.Kubernetes; k != nil {
		fmt.Fprintf(stdout, "  %-44s kubectl --kubeconfig %s -n %s get pods\n", "the pods", relative(k.Kubeconfig), k.Namespace)
	}
}

func instead(missing place) place {
	return place{what: missing.what + ", as JSON", url: missing.instead}
}

// placeholder stands in Jaeger's page where the real one was not built in.
const placeholder = "not the Jaeger UI"

func answers(ctx context.Context, place place) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place.url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	html := strings.HasPrefix(response.Header.Get("Content-Type"), "text/html")
	start, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return err == nil && response.StatusCode == http.StatusOK && html == place.page && !strings.Contains(string(start), placeholder)
}
