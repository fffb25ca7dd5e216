package evidence_test

import (
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// edgeOf is what Prometheus has of a replica of the edge: ten checkouts between its last two samples, all of them good.
func edgeOf(replica string, ago time.Duration) []evidence.Series {
	labels := func(name string) map[string]string {
		return map[string]string{
			"__name__": "http_server_request_duration_seconds_" + name, "http_response_status_code": "201", "instance": replica,
		}
	}
	return []evidence.Series{series(labels("count"), ago, 0, 10), series(labels("bucket"), ago, 0, 10)}
}

func TestAReplicaOfTheEdgeThatIsGoneDoesNotHideTheOthers(t *testing.T) {
	const ago, lapsed = 400 * time.Millisecond, 4 * time.Second
	errors503 := series(map[string]string{
		"__name__": "http_server_request_duration_seconds_count", "http_response_status_code": "503", "instance": "storefront-new",
	}, lapsed, 3, 5)
	edge := func(ids ...string) lister {
		w := workload.Workload{Name: "storefront"}
		for _, id := range ids {
			w.Replicas = append(w.Replicas, workload.Replica{ID: id})
		}
		return lister{{Name: "orders", Replicas: []workload.Replica{{ID: "storefront-old"}}}, w}
	}
	for _, test := range []struct {
		name   string
		series []evidence.Series
		list   lister
		want   float64 // checkouts; 0: unknown
	}{
		{
			"all of them are added up", slices.Concat(edgeOf("storefront-new", ago), edgeOf("storefront-old", ago)),
			edge("storefront-new", "storefront-old"), 20,
		},
		{
			"what has been replaced is left out", slices.Concat(edgeOf("storefront-new", ago), edgeOf("storefront-old", lapsed)),
			edge("storefront-new"), 10,
		},
		{
			"one that is there and is not scraped makes it unknown",
			slices.Concat(edgeOf("storefront-new", ago), edgeOf("storefront-old", lapsed)), edge("storefront-new", "storefront-old"), 0,
		},
		{
			"unless nobody can tell who is there", slices.Concat(edgeOf("storefront-new", ago), edgeOf("storefront-old", lapsed)), nil, 0,
		},
		{"when all that Prometheus knows are gone, nothing is known", edgeOf("storefront-old", lapsed), edge("storefront-new"), 0},
		{
			"a status that a replica has not seen since its start says nothing of the replica",
			append(edgeOf("storefront-new", ago), errors503), edge("storefront-new"), 10,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := evidence.NewPrometheus(evidence.PrometheusConfig{
				Sampler: canned{"http_server": test.series}, Now: func() time.Time { return now },
			})
			if err != nil {
				t.Fatal(err)
			}
			g, err := evidence.New(evidence.Config{Collectors: []evidence.Collector{c}, Lister: test.list})
			if err != nil {
				t.Fatal(err)
			}
			// The workloads that are judged need not hold the edge.
			facts := g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}}).Facts
			total, known := facts.Get(evidence.EdgeTotal, "storefront")
			if known != (test.want > 0) || total.Value != test.want {
				t.Errorf("%+v; want %g", total, test.want)
			}
			if ratio, _ := facts.Get(evidence.EdgeGoodRatio, "storefront"); known && ratio.Value != 1 {
				t.Errorf("%+v; want 1", ratio)
			}
		})
	}
}
