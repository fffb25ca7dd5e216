package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/local"
	"github.com/faultline-lab/faultline/autoheal/pgadmin"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/prom"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/autoheal/webhook"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// healer is the assembled program.
type healer struct {
	store   *store.Store
	admin   *pgadmin.Admin
	engine  *engine.Engine
	handler http.Handler
}

// assemble puts the parts together. It contacts nobody but the store's file: what is down now may come up later.
func (c serveCommand) assemble(ctx context.Context, senses *telemetry.Telemetry) (*healer, error) {
	book, err := playbook.Load(c.Playbook, known())
	if err != nil {
		return nil, err
	}
	dependencies, err := correlate.Load(c.Dependencies)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: senses.Transport(&http.Transport{
		// One gathering asks Prometheus all its questions at once; the connections are kept for the next.
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
	})}
	control, err := c.control(client)
	if err != nil {
		return nil, err
	}
	h := &healer{}
	h.admin, err = pgadmin.New(pgadmin.Config{
		URL: c.DatabaseAdminURL, Application: "autoheal/" + c.Instance, Logger: senses.Logger(),
	})
	if err != nil {
		return nil, err
	}
	gatherer, err := c.gatherer(client, control, h.admin)
	if err != nil {
		return nil, err
	}
	edge, err := verify.NewEdge(verify.EdgeConfig{URL: c.EdgeMetricsURL, Client: client})
	if err != nil {
		return nil, err
	}
	restart, err := remedy.NewRestartReplicas(control)
	if err != nil {
		return nil, err
	}
	secret, err := token("--webhook-token-file", c.WebhookTokenFile)
	if err != nil {
		return nil, err
	}
	if h.store, err = store.Open(ctx, store.Config{Path: c.Store}); err != nil {
		return nil, err
	}
	limits := guard.Defaults()
	limits.Cooldown = c.Cooldown
	h.engine, err = engine.New(engine.Config{
		Store: h.store, Senses: gatherer, Edge: edge, Remedies: []remedy.Remedy{restart}, Playbook: book, Map: dependencies,
		Logger: senses.Logger(), Registerer: senses.Registerer(), Tracer: senses.TracerProvider().Tracer("autoheal/engine"),
		Switch: killSwitch(c.KillSwitchFile), Limits: limits, Stabilise: c.Stabilise,
	})
	if err == nil {
		h.handler, err = h.serve(senses, secret)
	}
	if err != nil {
		return nil, errors.Join(err, h.store.Close())
	}
	return h, nil
}

func (c serveCommand) control(client *http.Client) (*local.Control, error) {
	secret, err := token("--control-token-file", c.ControlTokenFile)
	if err != nil {
		return nil, err
	}
	return local.New(local.Config{URL: c.ControlURL, Token: secret, Client: client})
}

func (c serveCommand) gatherer(client *http.Client, control *local.Control, admin *pgadmin.Admin) (*evidence.Gatherer, error) {
	samples, err := prom.New(query.Config{URL: c.PrometheusURL, Client: client})
	if err != nil {
		return nil, err
	}
	metrics, err := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: samples})
	if err != nil {
		return nil, err
	}
	sessions, err := evidence.NewPostgres(evidence.PostgresConfig{Server: admin})
	if err != nil {
		return nil, err
	}
	return evidence.New(evidence.Config{Collectors: []evidence.Collector{metrics, sessions}, Lister: control})
}

func (h *healer) serve(senses *telemetry.Telemetry, secret string) (http.Handler, error) {
	hook, err := webhook.New(webhook.Config{
		Deliveries: h.store, Token: secret, Wake: h.engine.Wake, Logger: senses.Logger(), Registerer: senses.Registerer(),
	})
	if err != nil {
		return nil, err
	}
	handler, err := api.New(api.Config{
		Records: h.store, Webhook: hook, Metrics: senses.MetricsHandler(), Ready: h.store.Ping, Logger: senses.Logger(),
	})
	if err != nil {
		return nil, err
	}
	return senses.Middleware(handler), nil
}
