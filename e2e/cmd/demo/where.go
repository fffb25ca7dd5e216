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
}

func places(e endpoints.Endpoints) []place {
	return []place{
		{"the incidents, as the healer recorded them", e.Autoheal + "/api/v1/incidents", false},
		{"the client's seconds", e.Loadgen + "/v1/sli", false},
		{"the shop", e.Storefront + "/products", false},
		{"workloads and their replicas", e.Control + "/v1/workloads", false},
		{"alerts", e.Alertmanager + "/", true},
		{"metrics", e.Prometheus + "/query", true},
		{"traces", e.Jaeger + "/search", true},
	}
}

// where lists the places that answer, so that nobody is sent to a page that is not there.
func where(ctx context.Context, stdout io.Writer, stack endpoints.Stack) {
	fmt.Fprintln(stdout, "Where to look:")
	for _, place := range places(stack.Endpoints) {
		if answers(ctx, place) {
			fmt.Fprintf(stdout, "  %-44s %s\n", place.what, place.url)
		}
	}
}

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
	return response.StatusCode == http.StatusOK && html == place.page
}
