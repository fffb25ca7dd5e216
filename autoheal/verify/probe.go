package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// quietFor is how long no checkout must have passed before one is placed: less than the pause between two readings, so that one
	// without any has a probe in the next.
	quietFor = 900 * time.Millisecond
	// patience is how long the synthetic customer waits for the answer.
	patience = 2 * time.Second
	// SyntheticKey is how the Idempotency-Key of each synthetic checkout begins: by it the shop can tell them apart.
	SyntheticKey = "synthetic-"
)

// Reader reads the edge's counters.
type Reader interface {
	Read(ctx context.Context) (Readout, error)
	Source() string
}

// ProbeConfig says what a synthetic customer asks for, and where.
type ProbeConfig struct {
	Edge       Reader
	URL        string // of the checkout, as customers reach it
	Body       string // JSON: an order of a customer that the shop knows not to be one
	Client     *http.Client
	Registerer prometheus.Registerer
	Now        func() time.Time // time.Now by default
}

// Probe is an edge that need not be without evidence: when nobody has bought anything for a moment, a synthetic customer does. Its
// checkout takes the whole journey, and the edge counts it like any other, so that what is read and judged stays the edge's own
// series. While customers buy, nothing is placed.
type Probe struct {
	cfg    ProbeConfig
	placed *prometheus.CounterVec

	mu     sync.Mutex
	last   Readout
	passed time.Time // when checkouts, or a probe, were last seen to pass
}

// NewProbe makes a probe. Errors: what is missing or malformed, by flag.
func NewProbe(cfg ProbeConfig) (*Probe, error) {
	at, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--probe-url: %w", err)
	case at.Scheme != "http" && at.Scheme != "https" || at.Host == "":
		return nil, fmt.Errorf("--probe-url: %q is no http address: give that of the checkout, for example http://127.0.0.1:8080/checkout", cfg.URL)
	case !json.Valid([]byte(cfg.Body)):
		return nil, fmt.Errorf("--probe-body is no JSON: give the order of a synthetic customer, not %.60q", cfg.Body)
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Probe{cfg: cfg, placed: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "autoheal_probes_total", Help: "Synthetic checkouts that were placed because nobody bought, by what came of them: good, bad, unanswered.",
	}, []string{"result"})}
	for _, result := range []string{probeGood, probeBad, probeUnanswered} {
		p.placed.WithLabelValues(result)
	}
	return p, cfg.Registerer.Register(p.placed)
}

// What came of a synthetic checkout.
const (
	probeGood       = "good"
	probeBad        = "bad"
	probeUnanswered = "unanswered"
)

// Source names the reader's source for the record.
func (p *Probe) Source() string {
	return p.cfg.Edge.Source() + ", with synthetic checkouts at " + p.cfg.URL + " where nobody buys"
}

// Read only reads the edge.
func (p *Probe) Read(ctx context.Context) (Readout, error) { return p.cfg.Edge.Read(ctx) }

// ReadOrProbe reads the edge; where nothing has passed for a moment, a checkout is placed and the edge is read again. That may take as
// long as a customer waits, so it is for proving a heal, and not for the moment before an action.
func (p *Probe) ReadOrProbe(ctx context.Context) (Readout, error) {
	read, err := p.cfg.Edge.Read(ctx)
	if err != nil || !p.quiet(read) {
		return read, err
	}
	p.placed.WithLabelValues(p.place(ctx)).Inc()
	again, err := p.cfg.Edge.Read(ctx)
	if err == nil {
		p.quiet(again)
	}
	return again, err
}

// quiet takes a readout in, and says whether a checkout is to be placed now: by one reader only, however many there are.
func (p *Probe) quiet(now Readout) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, before := p.cfg.Now(), p.last
	p.last = now
	if before == nil || now.Since(before).Total > 0 {
		p.passed = at
		return false
	}
	if at.Sub(p.passed) < quietFor {
		return false
	}
	p.passed = at
	return true
}

func (p *Probe) place(ctx context.Context) (result string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.URL, strings.NewReader(p.cfg.Body))
	if err != nil {
		return probeUnanswered
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", SyntheticKey+uuid.NewString())
	res, err := p.cfg.Client.Do(req)
	if err != nil {
		return probeUnanswered
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBytes))
	if res.StatusCode >= http.StatusOK && res.StatusCode < http.StatusMultipleChoices {
		return probeGood
	}
	return probeBad
}
