package storefront

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// DiscoveryConfig is what a Discovery needs; every field is required.
type DiscoveryConfig struct {
	// URL serves a Prometheus http_sd document of the ready replicas.
	URL    string
	Client *http.Client
	Tick   time.Duration
	// Set takes the backends of each document.
	Set func(context.Context, []Backend)
	Log *slog.Logger
}

// Discovery follows a Prometheus http_sd document. While it cannot be read, the last one holds.
type Discovery struct {
	cfg    DiscoveryConfig
	silent bool // the last poll failed, and the log has it
}

// NewDiscovery makes a Discovery; Run polls.
func NewDiscovery(cfg DiscoveryConfig) (*Discovery, error) {
	if cfg.URL == "" || cfg.Client == nil || cfg.Tick <= 0 || cfg.Set == nil || cfg.Log == nil {
		return nil, errors.New("storefront: discovery needs URL, Client, a positive Tick, Set and Log")
	}
	return &Discovery{cfg: cfg}, nil
}

// Run polls until ctx ends, and returns nil then.
func (d *Discovery) Run(ctx context.Context) error {
	ticker := time.NewTicker(d.cfg.Tick)
	defer ticker.Stop()
	for {
		d.Poll(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Poll reads the document once.
func (d *Discovery) Poll(ctx context.Context) {
	backends, err := d.read(ctx)
	switch {
	case err == nil:
		d.silent = false
		d.cfg.Set(ctx, backends)
	case !d.silent && ctx.Err() == nil:
		d.silent = true
		d.cfg.Log.WarnContext(ctx, "discovery of orders failed; keeping the replicas known so far", "url", d.cfg.URL, "error", err)
	}
}

// targets is one entry of an http_sd document (Prometheus, "HTTP SD format").
type targets struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// groupOf reads the label group; whoever has none, or one that nobody here knows, is stable.
func groupOf(labels map[string]string) Group {
	if labels["group"] == string(Standby) {
		return Standby
	}
	return Stable
}

// pollTimeout bounds one poll, which otherwise would hold up all that follow.
const pollTimeout = time.Second

func (d *Discovery) read(ctx context.Context) ([]Backend, error) {
	// Measured, but untraced: five traces a second would say nothing.
	ctx, cancel := context.WithTimeout(service.Untraced(ctx), pollTimeout)
	defer cancel()
	var document []targets
	call := jsonhttp.Call{Method: http.MethodGet, URL: d.cfg.URL, Into: &document}
	if err := jsonhttp.Do(ctx, d.cfg.Client, call); err != nil {
		return nil, fmt.Errorf("read %s: %w", d.cfg.URL, err)
	}
	var backends []Backend
	for _, g := range document {
		for _, target := range g.Targets {
			backends = append(backends, Backend{
				URL: "http://" + target, Instance: g.Labels["instance"], Version: g.Labels["version"], Group: groupOf(g.Labels),
			})
		}
	}
	// The document's order may change from poll to poll; the turn must not.
	slices.SortFunc(backends, func(a, b Backend) int { return strings.Compare(a.URL, b.URL) })
	return backends, nil
}
