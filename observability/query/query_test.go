package query_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/query"
)

const (
	promql = `sum(rate(orders_total[5s]))`
	logql  = `{service_name="orders"}`
	trace  = "0af7651916cd43dd8448eb211c80319c"
)

// answering is a server that gives every question the same answer.
func answering(t *testing.T, status int, body string) query.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return query.Config{URL: server.URL, Client: server.Client()}
}

func prometheus(t *testing.T, cfg query.Config) *query.Prometheus {
	t.Helper()
	client, err := query.NewPrometheus(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func loki(t *testing.T, cfg query.Config) *query.Loki {
	t.Helper()
	client, err := query.NewLoki(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func jaeger(t *testing.T, cfg query.Config) *query.Jaeger {
	t.Helper()
	client, err := query.NewJaeger(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// questions are all that can be asked, with what their errors must name.
func questions(t *testing.T, cfg query.Config) map[string]func(context.Context) error {
	now := time.Now()
	p, l, j := prometheus(t, cfg), loki(t, cfg), jaeger(t, cfg)
	return map[string]func(context.Context) error{
		"prometheus: " + promql: func(ctx context.Context) error { _, err := p.Instant(ctx, promql, now); return err },
		"prometheus: " + promql + " range": func(ctx context.Context) error {
			_, err := p.Range(ctx, promql+" range", now, now, time.Second)
			return err
		},
		"prometheus: " + promql + " ex": func(ctx context.Context) error { _, err := p.Exemplars(ctx, promql+" ex", now, now); return err },
		"prometheus: alerts":            func(ctx context.Context) error { _, err := p.Alerts(ctx); return err },
		"prometheus: targets":           func(ctx context.Context) error { _, err := p.Targets(ctx); return err },
		"loki: " + logql:                func(ctx context.Context) error { _, err := l.QueryRange(ctx, logql, now, now, 0); return err },
		"jaeger: trace " + trace:        func(ctx context.Context) error { _, err := j.Trace(ctx, trace); return err },
		"jaeger: search ": func(ctx context.Context) error {
			_, err := j.Search(ctx, query.Search{Service: "orders", From: now, To: now})
			return err
		},
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:9090", "ftp://127.0.0.1", "http://", "http://[::1"} {
		cfg := query.Config{URL: url}
		_, p := query.NewPrometheus(cfg)
		_, l := query.NewLoki(cfg)
		_, j := query.NewJaeger(cfg)
		if p == nil || l == nil || j == nil {
			t.Errorf("%q was accepted: %v, %v, %v", url, p, l, j)
		}
	}
}

func TestARefusalCarriesTheQuestionTheStatusAndTheFirstLine(t *testing.T) {
	cfg := answering(t, http.StatusBadGateway, "\n out of order \nsecond line\n")
	for question, ask := range questions(t, cfg) {
		err := ask(t.Context())
		var refused *query.Error
		if !errors.As(err, &refused) || refused.Status != http.StatusBadGateway || refused.Body != "out of order" {
			t.Errorf("%s: %#v", question, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), question) || !strings.HasSuffix(err.Error(), "answered 502: out of order") {
			t.Errorf("%s: %v", question, err)
		}
	}
}

func TestALongRefusalIsCut(t *testing.T) {
	cfg := answering(t, http.StatusInternalServerError, strings.Repeat("é", 10_000))
	if _, err := loki(t, cfg).QueryRange(t.Context(), logql, time.Now(), time.Now(), 0); len(err.Error()) > 400 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

func TestAnAnswerThatMakesNoSenseIsAnErrorWithTheQuestion(t *testing.T) {
	for name, body := range map[string]string{
		"a web page":     "<html>welcome</html>",
		"half an answer": `{"status":"success","data":{"resultType":"vec`,
		"another type":   `{"status":"success","data":17,"result":17}`,
		"a time that isn't": `{"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[["noon","x"]]}],` +
			`"alerts":[{"value":"much"}],"activeTargets":17},"result":{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"noon"}]}]}]}}`,
	} {
		for question, ask := range questions(t, answering(t, http.StatusOK, body)) {
			err := ask(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), question) || errors.Is(err, query.ErrNoData) {
				t.Errorf("%s, %s: %v", question, name, err)
			}
		}
	}
}

func TestADeadlineEndsAQuestion(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer server.Close()
	defer close(over)
	for question, ask := range questions(t, query.Config{URL: server.URL, Timeout: 50 * time.Millisecond}) {
		err := ask(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), question) {
			t.Errorf("%s: the client's own timeout: %v", question, err)
		}
	}
	for question, ask := range questions(t, query.Config{URL: server.URL}) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := ask(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the caller's cancellation: %v", question, err)
		}
	}
}

func TestNoDataIsNotZero(t *testing.T) {
	const vector = `{"status":"success","data":{"resultType":"vector","result":[%s]}}`
	for name, c := range map[string]struct {
		result string
		value  float64
		nodata bool
		broken bool
	}{
		"zero is a value":               {result: `{"metric":{},"value":[1,"0"]}`},
		"an infinity is a value":        {result: `{"metric":{},"value":[1,"1e300"]}`, value: 1e300},
		"no series is no data":          {result: ``, nodata: true},
		"nothing to nothing is no data": {result: `{"metric":{},"value":[1,"NaN"]}`, nodata: true},
		"two series are no one value":   {result: `{"metric":{"a":"1"},"value":[1,"0"]},{"metric":{"a":"2"},"value":[1,"0"]}`, broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			client := prometheus(t, answering(t, http.StatusOK, strings.Replace(vector, "%s", c.result, 1)))
			value, err := client.Value(t.Context(), promql, time.Now())
			if errors.Is(err, query.ErrNoData) != c.nodata || (err != nil) != (c.nodata || c.broken) || value != c.value {
				t.Errorf("got %v, %v", value, err)
			}
		})
	}
}

func TestATraceThatJaegerDoesNotHaveIsNoData(t *testing.T) {
	client := jaeger(t, answering(t, http.StatusNotFound, `{"error":{"httpCode":404,"message":"No traces found"}}`))
	if _, err := client.Trace(t.Context(), trace); !errors.Is(err, query.ErrNoData) {
		t.Errorf("Trace: %v", err)
	}
	if found, err := client.Search(t.Context(), query.Search{Service: "orders"}); err != nil || len(found) != 0 {
		t.Errorf("Search: %v, %v", found, err)
	}
	for _, id := range []string{"", "17", "../../api/traces", strings.ToUpper(trace), trace + "0"} {
		if _, err := client.Trace(t.Context(), id); err == nil || errors.Is(err, query.ErrNoData) {
			t.Errorf("%q is no trace id, but: %v", id, err)
		}
	}
	if _, err := client.Search(t.Context(), query.Search{}); err == nil {
		t.Error("a search for no service was made")
	}
}

func TestSpansAreGatheredByTraceAndOrderedByStart(t *testing.T) {
	client := jaeger(t, answering(t, http.StatusOK, `{"result":{"resourceSpans":[
		{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}},{"key":"service.instance.id","value":{"stringValue":"orders-1"}}]},
		 "scopeSpans":[{"spans":[
			{"traceId":"`+trace+`","spanId":"b","parentSpanId":"a","name":"pool.acquire","kind":1,"startTimeUnixNano":"1500000000","endTimeUnixNano":"1900000000",
			 "attributes":[{"key":"server.port","value":{"intValue":"5434"}},{"key":"l","value":{"arrayValue":{"values":[]}}}],"status":{"code":2,"message":"context deadline exceeded"}},
			{"traceId":"11111111111111111111111111111111","spanId":"z","name":"other","kind":2,"startTimeUnixNano":"3000000000","endTimeUnixNano":"3000000001"}]}]},
		{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"storefront"}}]},
		 "scopeSpans":[{"spans":[{"traceId":"`+trace+`","spanId":"a","name":"POST /checkout","kind":2,"startTimeUnixNano":"1000000000","endTimeUnixNano":"2000000000","status":{}}]}]}]}}`))
	found, err := client.Search(t.Context(), query.Search{Service: "orders"})
	if err != nil || len(found) != 2 || found[0].Spans[0].Name != "other" {
		t.Fatalf("newest first: %+v, %v", found, err)
	}
	got, err := client.Trace(t.Context(), trace)
	if err != nil {
		t.Fatal(err)
	}
	root, wait := got.Spans[0], got.Spans[1]
	if root.ParentID != "" || root.Service != "storefront" || root.Kind != query.Server || root.Failed {
		t.Errorf("root: %+v", root)
	}
	if wait.Service != "orders" || wait.Instance != "orders-1" || !wait.Failed || wait.Message != "context deadline exceeded" ||
		wait.Duration != 400*time.Millisecond || wait.Attributes["server.port"] != "5434" || wait.Attributes["l"] != `{"values":[]}` {
		t.Errorf("wait: %+v", wait)
	}
}

func TestLogsOfSeveralStreamsAreOneListOldestFirst(t *testing.T) {
	client := loki(t, answering(t, http.StatusOK, `{"status":"success","data":{"resultType":"streams","result":[
		{"stream":{"service_name":"orders"},"values":[["3","c"],["1","a"]]},
		{"stream":{"service_name":"storefront"},"values":[["2","b"]]}]}}`))
	logs, err := client.QueryRange(t.Context(), logql, time.Now(), time.Now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, log := range logs {
		lines = append(lines, log.Line+" "+log.Labels["service_name"])
	}
	if want := []string{"a orders", "b storefront", "c orders"}; !slices.Equal(lines, want) {
		t.Errorf("got %v, want %v", lines, want)
	}
	numbers := loki(t, answering(t, http.StatusOK, `{"status":"success","data":{"resultType":"matrix","result":[]}}`))
	if _, err := numbers.QueryRange(t.Context(), "rate({a=\"b\"}[1s])", time.Now(), time.Now(), 0); err == nil {
		t.Error("an answer of numbers was taken for logs")
	}
}
