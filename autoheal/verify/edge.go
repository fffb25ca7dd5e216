package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	shedFamily = "storefront_shed_checkouts_total"
	family     = "http_server_request_duration_seconds"
	goodWithin = 0.5 // s; a bucket boundary of the edge's histogram
	// Series is what the readings are taken from, for the record.
	Series   = family + `{http_request_method="POST",http_route="/checkout"}`
	maxBytes = 8 << 20
)

// Counts are the edge's counters at one moment, since it started.
type Counts struct {
	Total float64 // checkouts, all but 4xx
	Good  float64 // of those, completed (2xx but 202) within 0.5 s
	// Accepted were taken for later (202) within 0.5 s.
	Accepted float64
	// Shed were turned away on purpose: 503 while the edge sheds. They are in Total as well.
	Shed float64
}

// Readout are the counters of each instance of the edge, by its id. Instances come and go and start anew, so their
// counters must not be added up before they are compared.
type Readout map[string]Counts

// Instance is one replica of the edge.
type Instance struct {
	ID  string // of the replica
	URL string // of its /metrics
}

// EdgeConfig says where the edge's metrics are: one URL, or instances that come and go.
type EdgeConfig struct {
	URL string // of the only instance's /metrics
	// Instances lists those that serve; an error or an empty list is a reading that could not be had. Instead of URL.
	Instances func(context.Context) ([]Instance, error)
	// Source names where Instances come from, for the record.
	Source string
	Client *http.Client
	// Timeout bounds one reading, the list included; 800 ms by default, less than the pause between two.
	Timeout time.Duration
}

// Edge reads the SLI's counters directly from the edge.
type Edge struct{ cfg EdgeConfig }

// NewEdge makes a reader.
func NewEdge(cfg EdgeConfig) (*Edge, error) {
	switch {
	case cfg.URL == "" && cfg.Instances == nil:
		return nil, errors.New("verify: where the edge's metrics are is missing: give --edge-metrics-url or --edge-workload")
	case cfg.URL != "" && cfg.Instances != nil:
		return nil, errors.New("verify: the edge's metrics are given twice: give either one URL or a list of instances")
	case cfg.Instances == nil:
		only := []Instance{{ID: cfg.URL, URL: cfg.URL}}
		cfg.Source, cfg.Instances = cfg.URL, func(context.Context) ([]Instance, error) { return only, nil }
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 800 * time.Millisecond
	}
	return &Edge{cfg}, nil
}

// Source names the reader's source for the record.
func (e *Edge) Source() string { return e.cfg.Source + " " + Series }

// Read reads the counters of every instance once, all at the same time. One that does not answer makes the whole reading
// unknown: what it serves meanwhile nobody can tell.
func (e *Edge) Read(ctx context.Context) (Readout, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
	defer cancel()
	instances, err := e.cfg.Instances(ctx)
	if err != nil {
		return nil, fmt.Errorf("the edge's instances: %w", err)
	}
	if len(instances) == 0 {
		return nil, errors.New("the edge has no instance that serves")
	}
	counts, errs := make([]Counts, len(instances)), make([]error, len(instances))
	var wait sync.WaitGroup
	for i, instance := range instances {
		wait.Go(func() { counts[i], errs[i] = e.one(ctx, instance.URL) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	read := Readout{}
	for i, instance := range instances {
		read[instance.ID] = counts[i]
	}
	return read, nil
}

func (e *Edge) one(ctx context.Context, url string) (Counts, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Counts{}, err
	}
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	res, err := e.cfg.Client.Do(req)
	if err != nil {
		return Counts{}, fmt.Errorf("the edge's metrics: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Counts{}, fmt.Errorf("the edge's metrics: %s answered %s", url, res.Status)
	}
	return count(io.LimitReader(res.Body, maxBytes))
}

func count(r io.Reader) (Counts, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return Counts{}, fmt.Errorf("the edge's metrics: %w", err)
	}
	found, ok := families[family]
	if !ok {
		return Counts{}, fmt.Errorf("the edge's metrics have no %s", family)
	}
	c := Counts{Shed: shed(families[shedFamily])}
	for _, m := range found.GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		status := labels["http_response_status_code"]
		if labels["http_request_method"] != http.MethodPost || labels["http_route"] != "/checkout" || strings.HasPrefix(status, "4") {
			continue
		}
		c.Total += float64(m.GetHistogram().GetSampleCount())
		if strings.HasPrefix(status, "2") {
			n, err := within(m.GetHistogram())
			if err != nil {
				return Counts{}, err
			}
			if status == "202" {
				c.Accepted += n
			} else {
				c.Good += n
			}
		}
	}
	return c, nil
}

// shed adds up what the edge turned away; none where it has no such counter.
func shed(counter *dto.MetricFamily) float64 {
	sum := 0.0
	for _, m := range counter.GetMetric() {
		sum += m.GetCounter().GetValue()
	}
	return sum
}

func within(h *dto.Histogram) (float64, error) {
	for _, b := range h.GetBucket() {
		if b.GetUpperBound() == goodWithin {
			return float64(b.GetCumulativeCount()), nil
		}
	}
	return 0, fmt.Errorf("%s has no bucket le=%q: the objective must be a bucket boundary", family, "0.5")
}
