package control

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spanpb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

// collector takes spans as Jaeger does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*spanpb.Span
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var batch tracepb.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &batch)
		}
		if err != nil {
			t.Errorf("a batch cannot be read: %v", err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range batch.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// named are the spans of one name.
func (c *collector) named(name string) []*spanpb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*spanpb.Span
	for _, span := range c.spans {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	callersSpan  = "b7ad6b7169203331"
)

// traced makes a request on behalf of somebody who has a trace.
func (s stack) traced(t *testing.T, method, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", bearer)
	request.Header.Set("Traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

func TestAHealersRestartShowsInItsTraceUntilTheReplicaIsReadyAgain(t *testing.T) {
	jaeger := startCollector(t)
	senses := startTelemetry(t, jaeger.URL)
	s := startTraced(t, senses)
	before := s.orders(t).Replicas[0]
	s.traced(t, http.MethodPost, "/v1/workloads/orders/replicas/orders-1/restart", fmt.Sprintf(`{"start_id":%q}`, before.StartID))
	s.eventually(t, "the restart's span is there", func(supervisor.WorkloadView) bool { return len(jaeger.named("replica.restart")) == 1 })

	asked := jaeger.named("POST /v1/workloads/{workload}/replicas/{replica}/restart")
	if len(asked) != 1 || hex.EncodeToString(asked[0].TraceId) != callersTrace || hex.EncodeToString(asked[0].ParentSpanId) != callersSpan {
		t.Fatalf("the request's span is not part of its caller's trace: %v", asked)
	}
	restart := jaeger.named("replica.restart")[0]
	if !slices.Equal(restart.ParentSpanId, asked[0].SpanId) || hex.EncodeToString(restart.TraceId) != callersTrace {
		t.Errorf("the restart is not the request's child: %v", restart)
	}
	after := s.orders(t).Replicas[0]
	if after.StartID == before.StartID || int64(restart.EndTimeUnixNano) < after.ReadyAt.UnixNano() {
		t.Errorf("it ended at %d, and the replica was ready at %d", restart.EndTimeUnixNano, after.ReadyAt.UnixNano())
	}
}

func TestPollsAreMeasuredButOnlyChangesAndTracedReadsLeaveSpans(t *testing.T) {
	jaeger := startCollector(t)
	senses := startTelemetry(t, jaeger.URL)
	s := startTraced(t, senses)
	const polls = 20
	for range polls {
		s.call(t, http.MethodGet, "/v1/discovery?job=orders&ready=true", "", "")
	}
	s.traced(t, http.MethodGet, "/v1/workloads/orders", "")
	s.call(t, http.MethodPut, "/v1/workloads/orders/scale", bearer, `{"replicas":2}`)
	if err := senses.Shutdown(context.WithoutCancel(t.Context())); err != nil { // it sends what it has
		t.Fatal(err)
	}
	for name, want := range map[string]int{
		"GET /v1/discovery": 0, "GET /v1/workloads/{workload}": 1, "PUT /v1/workloads/{workload}/scale": 1,
	} {
		if got := len(jaeger.named(name)); got != want {
			t.Errorf("%d spans %s, want %d", got, name, want)
		}
	}
}

// page is the metrics page, a line each.
func (s stack) page(t *testing.T) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/metrics", http.NoBody)
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
	return strings.Split(string(text), "\n")
}

func (s stack) shows(t *testing.T, lines ...string) {
	t.Helper()
	page := s.page(t)
	for _, line := range lines {
		if !slices.Contains(page, line) {
			t.Errorf("the page has no line %s:\n%s", line, strings.Join(slices.DeleteFunc(page, func(l string) bool {
				return !strings.HasPrefix(l, "supervisor_")
			}), "\n"))
		}
	}
}

func TestThePageCountsRestartsByTheirCauseFromNothing(t *testing.T) {
	s := startStack(t)
	s.shows(
		t,
		`supervisor_replicas{state="ready",workload="orders"} 2`, `supervisor_replicas{state="crashed",workload="orders"} 0`,
		`supervisor_restarts_total{cause="asked",workload="orders"} 0`, `supervisor_restarts_total{cause="exited",workload="orders"} 0`,
	)
	restarted := func(id string, times int) {
		s.eventually(t, id+" is ready again", func(now supervisor.WorkloadView) bool {
			return slices.ContainsFunc(now.Replicas, func(r supervisor.ReplicaView) bool {
				return r.ID == id && r.State == process.Ready && r.Restarts == times
			})
		})
	}
	first := s.orders(t).Replicas[0]
	s.traced(t, http.MethodPost, "/v1/workloads/orders/replicas/orders-1/restart", fmt.Sprintf(`{"start_id":%q}`, first.StartID))
	restarted("orders-1", 1)
	for times := 1; times <= 2; times++ {
		if err := syscall.Kill(s.orders(t).Replicas[1].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		restarted("orders-2", times)
	}
	// What a replica did stays counted when it is gone.
	s.call(t, http.MethodPut, "/v1/workloads/orders/scale", bearer, `{"replicas":1}`)
	s.eventually(t, "one is left", func(now supervisor.WorkloadView) bool { return len(now.Replicas) == 1 })
	s.shows(
		t,
		`supervisor_replicas{state="ready",workload="orders"} 1`,
		`supervisor_restarts_total{cause="asked",workload="orders"} 1`, `supervisor_restarts_total{cause="exited",workload="orders"} 2`,
	)
}

func TestPrometheusFindsTheSupervisorInItsOwnDocument(t *testing.T) {
	s := startStack(t)
	var all, itself []supervisor.TargetGroup
	s.read(t, "/v1/discovery", &all)
	s.read(t, "/v1/discovery?job=supervisor", &itself)
	if len(all) != 3 || len(itself) != 1 || itself[0].Targets[0] != s.ports.Address(ports.Control) ||
		fmt.Sprint(itself[0].Labels) != "map[instance:supervisor job:supervisor version:v1]" {
		t.Errorf("all %v, itself %v", all, itself)
	}
}
