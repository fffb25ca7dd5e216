package evidence_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/observability/contract"
)

const fresh = 400 * time.Millisecond

// part is a series of a histogram.
func part(name string, labels map[string]string, values ...float64) evidence.Series {
	s := series(labels, fresh, values...)
	s.Labels["__name__"] = name
	return s
}

// patient are the live workloads of a stack.
func patient() lister {
	replica := func(id, version, address string) workload.Replica {
		return workload.Replica{ID: id, Version: version, Address: address, State: workload.Ready, StartedAt: now.Add(-10 * time.Second)}
	}
	return lister{
		{Name: "orders", Replicas: []workload.Replica{replica("orders-1", "v2", "127.0.0.1:8081")}},
		{Name: "payments", Replicas: []workload.Replica{replica("payments-1", "v1", "127.0.0.1:8084")}},
		{Name: "storefront", Replicas: []workload.Replica{replica("storefront-1", "v1", "127.0.0.1:8080")}},
	}
}

// gathered asks Prometheus and the list, for orders and payments.
func gathered(t *testing.T, sampler evidence.Sampler, list evidence.Lister) evidence.Facts {
	t.Helper()
	c, err := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: sampler, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	g, err := evidence.New(evidence.Config{Collectors: []evidence.Collector{c}, Lister: list, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders", "payments", "storefront"}}).Facts
}

func TestMeansAreThoseOfTheWindowAndOfNothingUnknown(t *testing.T) {
	const hold, trip = "db_client_connection_use_time_seconds", "db_client_round_trip_duration_seconds"
	quick := map[string]string{"instance": "orders-1", "job": "orders", "le": "0.05"}
	called := func(port string) map[string]string {
		return map[string]string{"instance": "orders-1", "job": "orders", "server_address": "127.0.0.1", "server_port": port}
	}
	service := map[string]string{"instance": "orders-1", "job": "orders", "server_address": "payments.faultline.svc", "server_port": "80"}
	const call = "http_client_request_duration_seconds"
	for name, tc := range map[string]struct {
		answers       canned
		fact, subject string
		want          float64
		unknown       string
	}{
		"a hold":               {canned{hold + "_(sum": {part(hold+"_sum", orders1, 7, 8, 9), part(hold+"_count", orders1, 0, 10, 20)}}, evidence.PoolHoldMean, "orders-1", 0.1, ""},
		"a hold of nobody":     {canned{hold + "_(sum": {part(hold+"_sum", orders1, 7, 7), part(hold+"_count", orders1, 9, 9)}}, evidence.PoolHoldMean, "orders-1", 0, "nothing was counted in 3s"},
		"quick trips":          {canned{trip: {part(trip+"_bucket", quick, 5, 6, 8), part(trip+"_count", orders1, 5, 6, 10)}}, evidence.RoundTripQuick, "orders-1", 0.5, ""},
		"a call to a replica":  {canned{call: {part(call+"_sum", called("8084"), 1, 2), part(call+"_count", called("8084"), 0, 4)}}, evidence.CallTimeMean, "payments", 0.25, ""},
		"a call to a service":  {canned{call: {part(call+"_sum", service, 1, 2), part(call+"_count", service, 0, 4)}}, evidence.CallTimeMean, "payments", 0.25, ""},
		"a call that never is": {canned{call: {part(call+"_sum", service, 1, 1), part(call+"_count", service, 4, 4)}}, evidence.CallTimeMean, "payments", 0, "no call ended"},
		"a call to a stranger": {canned{call: {part(call+"_sum", called("99"), 1, 2), part(call+"_count", called("99"), 0, 4)}}, evidence.CallTimeMean, "payments", 0, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			fact, known := gathered(t, tc.answers, patient()).Get(tc.fact, tc.subject)
			switch {
			case tc.unknown == "-" && fact.Name != "":
				t.Errorf("%+v; want none", fact)
			case tc.unknown != "" && (known || tc.unknown != "-" && !strings.Contains(fact.Detail, tc.unknown)):
				t.Errorf("%+v; want unknown: %s", fact, tc.unknown)
			case tc.unknown == "" && (!known || fact.Value != tc.want || fact.Query == ""):
				t.Errorf("%+v; want %g", fact, tc.want)
			}
		})
	}
}

func TestWithoutTheListNobodyKnowsWhoWasCalledOrWhoRunsWhat(t *testing.T) {
	facts := gathered(t, canned{}, failing{})
	for _, name := range []string{evidence.CallTimeMean, evidence.ReleaseAge} {
		if fact, known := facts.Get(name, evidence.Prometheus); known || fact.Status != incident.Unknown {
			t.Errorf("%s is %+v; want unknown", name, fact)
		}
	}
}

// failing is a list that cannot be read.
type failing struct{}

func (failing) Workloads(context.Context) ([]workload.Workload, error) {
	return nil, errors.New("connection refused")
}

// arriving is a counter of checkouts with a sample a second and these rates, each for so many seconds, the last one now.
func arriving(rates ...[2]float64) evidence.Series {
	var values []float64
	sum := 0.0
	for _, r := range rates {
		for range int(r[1]) {
			sum += r[0]
			values = append(values, sum)
		}
	}
	return part("http_server_request_duration_seconds_count", map[string]string{"instance": "storefront-1", "http_response_status_code": "201"}, values...)
}

func TestArrivalsAreHeldAgainstWhatIsUsual(t *testing.T) {
	for name, tc := range map[string]struct {
		series       evidence.Series
		rate, before float64 // 0: unknown
	}{
		"constant":                                {arriving([2]float64{40, 120}), 40, 40},
		"a surge of some seconds":                 {arriving([2]float64{40, 115}, [2]float64{100, 6}), 100, 40},
		"a surge that has lasted for a while":     {arriving([2]float64{40, 70}, [2]float64{100, 50}), 100, 40},
		"a second's customers come a second late": {arriving([2]float64{40, 112}, [2]float64{0, 1}, [2]float64{80, 1}, [2]float64{40, 4}), 48, 40},
		"a lull some time ago":                    {arriving([2]float64{40, 40}, [2]float64{0, 30}, [2]float64{40, 50}), 40, 40},
		"nobody came before":                      {arriving([2]float64{40, 14}), 40, 0},
		"a surge soon after the first customer":   {arriving([2]float64{40, 18}, [2]float64{100, 6}), 100, 40},
		"nobody comes":                            {arriving([2]float64{40, 115}, [2]float64{0, 6}), 0, 40},
	} {
		t.Run(name, func(t *testing.T) {
			facts := gathered(t, canned{"duration_seconds_count{": {tc.series}}, patient())
			rate, known := facts.Get(evidence.EdgeArrivalRate, "storefront")
			before, usual := facts.Get(evidence.EdgeArrivalBefore, "storefront")
			ratio, compared := facts.Get(evidence.EdgeArrivalRatio, "storefront")
			if !known || !near(rate.Value, tc.rate) || usual != (tc.before > 0) || !near(before.Value, tc.before) {
				t.Errorf("rate %+v, before %+v; want %g and %g", rate, before, tc.rate, tc.before)
			}
			if compared != usual || usual && !near(ratio.Value, tc.rate/tc.before) {
				t.Errorf("ratio %+v", ratio)
			}
		})
	}
}

func near(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 }

func TestAReleaseIsKnownByItsFirstSampleOrByItsStart(t *testing.T) {
	up := func(version string, ago time.Duration, n int) evidence.Series {
		return series(map[string]string{"job": "orders", "instance": "orders-1", "version": version}, ago, slices.Repeat([]float64{1}, n)...)
	}
	for name, tc := range map[string]struct {
		series    []evidence.Series
		version   string // that the list says runs, since 10 s
		age, lead float64
	}{
		"one version only":                       {[]evidence.Series{up("v1", 0, 61)}, "v1", 60, 0},
		"a new one after another":                {[]evidence.Series{up("v1", 9*time.Second, 61), up("v2", 0, 9)}, "v2", 10, 59},
		"a new one that is scraped as the old":   {[]evidence.Series{up("v1", 0, 61)}, "v2", 10, 50},
		"a restart of the old one is no release": {[]evidence.Series{up("v1", 0, 5), up("v1", 20*time.Second, 41)}, "v1", 60, 0},
		"back to the old one":                    {[]evidence.Series{up("v1", 40*time.Second, 61), up("v2", 9*time.Second, 31), up("v1", 0, 9)}, "v1", 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			list := patient()
			list[0].Replicas[0].Version = tc.version
			facts := gathered(t, canned{"up{": tc.series}, list)
			age, known := facts.Get(evidence.ReleaseAge, "orders-1")
			lead, compared := facts.Get(evidence.ReleaseLead, "orders-1")
			if !known || !compared || !near(age.Value, tc.age) || !near(lead.Value, tc.lead) || age.Threshold != 300 {
				t.Errorf("age %+v, lead %+v; want %g and %g", age, lead, tc.age, tc.lead)
			}
		})
	}
}

// After a rollout under the same name Prometheus still has the samples of the version before for some scrapes.
func TestThePoolOfTheVersionBeforeIsNotAddedToThePresentOne(t *testing.T) {
	of := func(version string, ago time.Duration, size float64) evidence.Series {
		return series(map[string]string{"job": "orders", "instance": "orders-1", "version": version}, ago, size, size)
	}
	for _, ago := range []time.Duration{2 * time.Second, 4 * time.Second} { // the second one is stale
		facts := gathered(t, canned{"connection_max": {of("v1", ago, 4), of("v2", fresh, 4)}}, patient())
		if size, known := facts.Get(evidence.PoolMax, "orders-1"); !known || size.Value != 4 {
			t.Errorf("%s after the rollout the pool's size is %+v; want 4", ago, size)
		}
	}
}

// control is an edge's control port.
type control struct{ err error }

func (c control) State(context.Context) (*edge.State, error) {
	return &edge.State{Mode: edge.Normal}, c.err
}

func TestTheEdgesStateIsRead(t *testing.T) {
	for _, err := range []error{nil, errors.New("connection refused")} {
		c, failed := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: canned{}})
		if failed != nil {
			t.Fatal(failed)
		}
		g, failed := evidence.New(evidence.Config{Collectors: []evidence.Collector{c}, Lister: patient(), Edge: control{err}})
		if failed != nil {
			t.Fatal(failed)
		}
		state := g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}}).Edge
		if (state != nil) != (err == nil) || state != nil && state.Mode != edge.Normal {
			t.Errorf("with the error %v the state is %+v", err, state)
		}
	}
}

func TestPrometheusIsAskedOnlyForWhatTheContractLists(t *testing.T) {
	agreed, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	sampler := &questions{canned: canned{}}
	gathered(t, sampler, patient())
	if len(sampler.asked) < 12 {
		t.Errorf("asked %d questions only", len(sampler.asked))
	}
	for _, selector := range sampler.asked {
		for _, one := range named(selector) {
			if err := agreed.CheckPromQL(one); err != nil {
				t.Errorf("%s: %v", selector, err)
			}
		}
		for _, forbidden := range []string{"loadgen", "chaos", "payments_extra"} {
			if strings.Contains(selector, forbidden) {
				t.Errorf("%s reads what the healer must not know", selector)
			}
		}
	}
}

// named writes a selector of several parts of a histogram as one for each, with its name and labels.
func named(selector string) []string {
	found := regexp.MustCompile(`^\{__name__=~"(\w+)\((\w+)\|(\w+)\)",`).FindStringSubmatch(selector)
	if found == nil {
		return []string{selector}
	}
	rest := strings.TrimPrefix(selector, found[0])
	bound := regexp.MustCompile(`,le=~"\|([\d.]+)"`)
	return []string{
		found[1] + found[2] + "{" + bound.ReplaceAllString(rest, `,le="$1"`), found[1] + found[3] + "{" + bound.ReplaceAllString(rest, ""),
	}
}
