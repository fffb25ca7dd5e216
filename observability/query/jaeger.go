package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Jaeger asks one Jaeger v2 through its stable API (api/v3, OTLP as JSON).
type Jaeger struct{ endpoint *endpoint }

// NewJaeger checks the configuration; it contacts nobody.
func NewJaeger(cfg Config) (*Jaeger, error) {
	endpoint, err := newEndpoint("jaeger", cfg)
	if err != nil {
		return nil, err
	}
	return &Jaeger{endpoint}, nil
}

// Trace fetches one trace by its id (32 hexadecimal digits). ErrNoData means that Jaeger does not have it: not yet, no
// more, or never.
func (j *Jaeger) Trace(ctx context.Context, id string) (Trace, error) {
	question := "trace " + id
	if !isTraceID(id) {
		return Trace{}, j.endpoint.failed(question, errors.New("a trace id is 32 hexadecimal digits"))
	}
	traces, err := j.fetch(ctx, question, "api/v3/traces/"+id, nil)
	if err != nil {
		return Trace{}, err
	}
	for _, trace := range traces {
		if trace.ID == id {
			return trace, nil
		}
	}
	return Trace{}, j.endpoint.failed(question, ErrNoData)
}

// Search says which traces to look for.
type Search struct {
	Service          string // required
	Operation        string // a span's name; empty for any
	From, To         time.Time
	MinTook, MaxTook time.Duration // of a span of the service; 0 for any
	Limit            int           // 0 means 20
}

// Search finds traces in which a service took part, newest first. The list is empty when nothing matched.
func (j *Jaeger) Search(ctx context.Context, search Search) ([]Trace, error) {
	params, err := search.params()
	question := "search " + params.Encode()
	if err != nil {
		return nil, j.endpoint.failed(question, err)
	}
	traces, err := j.fetch(ctx, question, "api/v3/traces", params)
	if errors.Is(err, ErrNoData) {
		return nil, nil
	}
	return traces, err
}

func (s Search) params() (url.Values, error) {
	if s.Service == "" {
		return nil, errors.New("a search needs a service")
	}
	if s.Limit == 0 {
		s.Limit = 20
	}
	params := url.Values{
		"query.service_name":   {s.Service},
		"query.start_time_min": {s.From.UTC().Format(time.RFC3339Nano)},
		"query.start_time_max": {s.To.UTC().Format(time.RFC3339Nano)},
		"query.num_traces":     {strconv.Itoa(s.Limit)},
	}
	if s.Operation != "" {
		params.Set("query.operation_name", s.Operation)
	}
	if s.MinTook > 0 {
		params.Set("query.duration_min", s.MinTook.String())
	}
	if s.MaxTook > 0 {
		params.Set("query.duration_max", s.MaxTook.String())
	}
	return params, nil
}

// fetch turns Jaeger's 404, which it gives for "no traces", into ErrNoData.
func (j *Jaeger) fetch(ctx context.Context, question, path string, params url.Values) ([]Trace, error) {
	var answer otlpAnswer
	err := j.endpoint.get(ctx, question, path, params, &answer)
	var status *Error
	if errors.As(err, &status) && status.Status == http.StatusNotFound {
		return nil, j.endpoint.failed(question, ErrNoData)
	}
	if err != nil {
		return nil, err
	}
	traces, err := answer.traces()
	if err != nil {
		return nil, j.endpoint.failed(question, fmt.Errorf("the answer makes no sense: %w", err))
	}
	slices.SortFunc(traces, func(a, b Trace) int { return b.Spans[0].Start.Compare(a.Spans[0].Start) })
	return traces, nil
}

func isTraceID(id string) bool {
	if len(id) != 32 {
		return false
	}
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
