package verify_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// list is a workload list that holds one workload, or an error.
type list struct {
	replicas []workload.Replica
	err      error
}

func (l list) Workload(_ context.Context, name string) (workload.Workload, error) {
	return workload.Workload{Name: name, Replicas: l.replicas}, l.err
}

// serving is a replica of the edge that has completed so many checkouts, all of them well.
func serving(t *testing.T, id string, completed int) workload.Replica {
	t.Helper()
	const labels = `http_request_method="POST",http_route="/checkout",http_response_status_code="201"`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		const name = "http_server_request_duration_seconds"
		_, _ = fmt.Fprintf(w, "# TYPE %s histogram\n%s_bucket{%s,le=\"0.5\"} %d\n%s_bucket{%s,le=\"+Inf\"} %d\n%s_count{%s} %d\n",
			name, name, labels, completed, name, labels, completed, name, labels, completed) // a failure shows in the reading
	}))
	t.Cleanup(server.Close)
	return workload.Replica{ID: id, State: workload.Ready, Address: strings.TrimPrefix(server.URL, "http://")}
}

func TestTheEdgeIsReadFromAllItsReadyReplicas(t *testing.T) {
	one, two := serving(t, "storefront-a", 10), serving(t, "storefront-b", 20)
	silent := workload.Replica{ID: "storefront-c", State: workload.Ready, Address: "127.0.0.1:1"}
	homeless := workload.Replica{ID: "storefront-d", State: workload.Ready}
	starting := workload.Replica{ID: "storefront-e", State: workload.Starting, Address: "127.0.0.1:1"}
	for _, test := range []struct {
		name  string
		list  list
		want  verify.Readout
		fails string
	}{
		{"each by itself", list{replicas: []workload.Replica{one, two}}, verify.Readout{
			"storefront-a": {Total: 10, Good: 10}, "storefront-b": {Total: 20, Good: 20},
		}, ""},
		{"one that is not ready serves nobody", list{replicas: []workload.Replica{one, starting}}, verify.Readout{
			"storefront-a": {Total: 10, Good: 10},
		}, ""},
		{"one that is ready and silent makes all of it unknown", list{replicas: []workload.Replica{one, silent}}, nil, "127.0.0.1:1"},
		{"one that is ready and nowhere as well", list{replicas: []workload.Replica{one, homeless}}, nil, "storefront-d of storefront is ready, but has no address"},
		{"an edge without a ready replica is unknown, not zero", list{replicas: []workload.Replica{starting}}, nil, "no instance that serves"},
		{"a list that cannot be read is unknown", list{err: errors.New("the API server is away")}, nil, "the API server is away"},
	} {
		t.Run(test.name, func(t *testing.T) {
			edge, err := verify.NewEdge(verify.EdgeConfig{
				Instances: verify.ReadyReplicas(test.list, "storefront"), Source: "the replicas of storefront", Timeout: time.Minute,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := edge.Source(); !strings.HasPrefix(got, "the replicas of storefront http_server_") {
				t.Errorf("its source is %q", got)
			}
			got, err := edge.Read(t.Context())
			if !maps.Equal(got, test.want) || (test.fails == "") != (err == nil) {
				t.Errorf("%v, error %v; want %v", got, err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Errorf("error %v; want ...%s...", err, test.fails)
			}
		})
	}
}

func TestAnEdgeIsGivenOnce(t *testing.T) {
	for name, cfg := range map[string]verify.EdgeConfig{
		"not at all": {},
		"twice":      {URL: "http://127.0.0.1:1/metrics", Instances: verify.ReadyReplicas(list{}, "storefront")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := verify.NewEdge(cfg); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}

// A list that hangs must not hold the reading up for longer than its bound.
func TestAListThatHangsIsUnknown(t *testing.T) {
	edge, err := verify.NewEdge(verify.EdgeConfig{
		Timeout: 20 * time.Millisecond,
		Instances: func(ctx context.Context) ([]verify.Instance, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if read, err := edge.Read(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, error %v", read, err)
	}
}

func TestTheJudgeOfAnEdgeWhoseInstancesComeAndGo(t *testing.T) {
	known := func(total, good float64, ok bool) incident.Reading {
		return incident.Reading{Total: total, Good: good, OK: ok, Status: incident.Known}
	}
	for _, test := range []struct {
		name  string
		takes []verify.Readout
		want  incident.Reading
	}{
		{"adds up what passed each", []verify.Readout{
			{"a": {Total: 100, Good: 100}, "b": {Total: 900, Good: 10}}, {"a": {Total: 120, Good: 120}, "b": {Total: 920, Good: 30}},
		}, known(40, 40, true)},
		{"does not take a sick one's failures for another's success", []verify.Readout{
			{"a": {Total: 100, Good: 100}, "b": {Total: 100, Good: 100}}, {"a": {Total: 120, Good: 120}, "b": {Total: 120, Good: 100}},
		}, known(40, 20, false)},
		{"counts a new one from its first reading", []verify.Readout{
			{"a": {Total: 100, Good: 100}}, {"a": {Total: 120, Good: 120}, "b": {Total: 5000, Good: 0}},
		}, known(20, 20, true)},
		{"and from then on with the others", []verify.Readout{
			{"a": {Total: 100, Good: 100}},
			{"a": {Total: 120, Good: 120}, "b": {Total: 5000, Good: 0}},
			{"a": {Total: 140, Good: 140}, "b": {Total: 5020, Good: 20}},
		}, known(40, 40, true)},
		{"drops one that is gone", []verify.Readout{
			{"a": {Total: 100, Good: 100}, "b": {Total: 900, Good: 900}}, {"a": {Total: 120, Good: 120}},
		}, known(20, 20, true)},
		{"counts one that was restarted from zero", []verify.Readout{
			{"a": {Total: 100, Good: 100}, "b": {Total: 900, Good: 900}}, {"a": {Total: 120, Good: 120}, "b": {Total: 10, Good: 4}},
		}, known(30, 24, false)},
		{"knows nothing when all of them are new", []verify.Readout{
			{"a": {Total: 100, Good: 100}}, {"b": {Total: 120, Good: 120}},
		}, incident.Reading{Status: incident.Unknown}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var (
				j   verify.Judge
				got incident.Reading
			)
			for _, take := range test.takes {
				got, _ = j.Take(time.Time{}, take, nil)
			}
			if got != test.want {
				t.Errorf("%+v; want %+v", got, test.want)
			}
		})
	}
}
