// Package prom asks Prometheus for raw samples with their own times, which is how a stale sample is told from a fresh
// one; the shared query client answers with vectors, whose times are those of the question.
package prom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/observability/query"
)

const maxAnswer = 16 << 20 // bytes

// Config says where Prometheus is.
type Config struct {
	URL    string
	Client *http.Client
}

// Prometheus implements evidence.Sampler.
type Prometheus struct{ cfg Config }

// New makes a client; it contacts nobody.
func New(cfg Config) (*Prometheus, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("prom: the URL %q of Prometheus is wrong: give --prometheus-url one like http://127.0.0.1:9090", cfg.URL)
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	return &Prometheus{cfg}, nil
}

// answer is the part of the query API's answer that is read here.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Metric map[string]string `json:"metric"`
			Values []pair            `json:"values"`
		} `json:"result"`
	} `json:"data"`
}

// pair is [unix seconds, "value"].
type pair struct {
	at    time.Time
	value float64
}

func (p *pair) UnmarshalJSON(data []byte) error {
	var parts [2]json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	var (
		seconds float64
		text    string
	)
	if err := errors.Join(json.Unmarshal(parts[0], &seconds), json.Unmarshal(parts[1], &text)); err != nil {
		return err
	}
	value, err := strconv.ParseFloat(text, 64)
	p.at, p.value = time.UnixMilli(int64(math.Round(seconds*1000))), value
	return err
}

// Samples evaluates a range selector now. Samples that are no finite number are left out: they say nothing, and could
// not be recorded. The list is empty when no series matched; errors are *query.Error and carry the selector.
func (p *Prometheus) Samples(ctx context.Context, selector string) ([]evidence.Series, error) {
	failed := func(status int, err error) error {
		return &query.Error{System: "prometheus", Query: selector, Status: status, Err: err}
	}
	address := p.cfg.URL + "/api/v1/query?" + url.Values{"query": {selector}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, failed(0, err)
	}
	res, err := p.cfg.Client.Do(req)
	if err != nil {
		return nil, failed(0, err)
	}
	defer res.Body.Close()
	var a answer
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a); err != nil {
		return nil, failed(res.StatusCode, err)
	}
	if a.Status != "success" || res.StatusCode != http.StatusOK {
		return nil, failed(res.StatusCode, errors.New(a.Error))
	}
	if a.Data.ResultType != "matrix" {
		return nil, failed(res.StatusCode, fmt.Errorf("the answer is a %s, not the raw samples of a range selector", a.Data.ResultType))
	}
	series := make([]evidence.Series, len(a.Data.Result))
	for i, r := range a.Data.Result {
		series[i].Labels = r.Metric
		for _, v := range r.Values {
			if !math.IsNaN(v.value) && !math.IsInf(v.value, 0) {
				series[i].Samples = append(series[i].Samples, evidence.Sample{At: v.at, Value: v.value})
			}
		}
	}
	return series, nil
}
