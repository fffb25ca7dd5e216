package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	family     = "http_server_request_duration_seconds"
	goodWithin = 0.5 // s; a bucket boundary of the edge's histogram
	// Series is what the readings are taken from, for the record.
	Series   = family + `{http_request_method="POST",http_route="/checkout"}`
	maxBytes = 8 << 20
)

// Counts are the edge's counters at one moment, since it started.
type Counts struct {
	Total float64 // checkouts, all but 4xx
	Good  float64 // of those, 2xx within 0.5 s
}

// EdgeConfig says where the edge's metrics are.
type EdgeConfig struct {
	URL    string // of storefront's /metrics
	Client *http.Client
	// Timeout bounds one reading; 800 ms by default, less than the pause between two.
	Timeout time.Duration
}

// Edge reads the SLI's counters directly from the edge.
type Edge struct{ cfg EdgeConfig }

// NewEdge makes a reader.
func NewEdge(cfg EdgeConfig) (*Edge, error) {
	if cfg.URL == "" {
		return nil, errors.New("verify: the URL of the edge's metrics is missing: give --edge-metrics-url")
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
func (e *Edge) Source() string { return e.cfg.URL + " " + Series }

// Read reads the counters once.
func (e *Edge) Read(ctx context.Context) (Counts, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.cfg.URL, nil)
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
		return Counts{}, fmt.Errorf("the edge's metrics: %s answered %s", e.cfg.URL, res.Status)
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
	var c Counts
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
			c.Good += n
		}
	}
	return c, nil
}

func within(h *dto.Histogram) (float64, error) {
	for _, b := range h.GetBucket() {
		if b.GetUpperBound() == goodWithin {
			return float64(b.GetCumulativeCount()), nil
		}
	}
	return 0, fmt.Errorf("%s has no bucket le=%q: the objective must be a bucket boundary", family, "0.5")
}
