package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/autoheal/budget"
	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/jaeger"
	"github.com/faultline-lab/faultline/autoheal/loki"
	"github.com/faultline-lab/faultline/autoheal/notify"
	"github.com/faultline-lab/faultline/autoheal/pgadmin"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/prom"
	"github.com/faultline-lab/faultline/autoheal/store"
	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/autoheal/webhook"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/observability/telemetry"
	"github.com/faultline-lab/faultline/slo/policy"
)

// healer is the assembled program.
type healer struct {
	target  target
	store   *store.Store
	admin   *pgadmin.Admin
	config  engine.Config // what the engine was made of
	engine  *engine.Engine
	handler http.Handler

	notifier *notify.Notifier
}

// assemble puts the parts together. It contacts nobody but the store's file: what is down now may come up later.
func (c serveCommand) assemble(ctx context.Context, senses *telemetry.Telemetry) (*healer, error) {
	limits := guard.Defaults(guard.Autonomy(c.Autonomy))
	limits.Cooldown = c.Cooldown
	book, err := playbook.Load(c.Playbook, known(limits))
	if err != nil {
		return nil, err
	}
	for _, warning := range book.Warnings {
		senses.Logger().WarnContext(ctx, "a rung of the playbook does harm, and will be refused each time", "error", warning)
	}
	dependencies, err := correlate.Load(c.Dependencies)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: senses.Transport(&http.Transport{
		// One gathering asks Prometheus all its questions at once; the connections are kept for the next.
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
	})}
	h := &healer{}
	h.target, err = c.Target.open(client, "autoheal/"+c.ServiceVersion, senses)
	if err != nil {
		return nil, err
	}
	admin := pgadmin.Config{URL: c.DatabaseAdminURL, Application: "autoheal/" + c.Instance, Logger: senses.Logger()}
	if senses.Enabled() {
		admin.TracerProvider, admin.MeterProvider = senses.TracerProvider(), senses.MeterProvider()
	}
	h.admin, err = pgadmin.New(admin)
	if err != nil {
		return nil, err
	}
	door, err := c.EdgeControl.open(client, h.target.control, c.EdgeWorkload)
	if err != nil {
		return nil, err
	}
	gatherer, err := c.gatherer(client, h.target, h.admin, door)
	if err != nil {
		return nil, err
	}
	edge, err := c.edge(client, h.target.control, senses.Registerer())
	if err != nil {
		return nil, err
	}
	remedies, err := h.target.remedies(door, c.EdgeWorkload, h.admin, client)
	if err != nil {
		return nil, err
	}
	receivers, err := notify.Load(c.Notify)
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
	h.config = engine.Config{
		Store: h.store, Senses: gatherer, Edge: edge, Remedies: remedies, Playbook: book, Map: dependencies,
		Logger: senses.Logger(), Registerer: senses.Registerer(), Tracer: senses.TracerProvider().Tracer("autoheal/engine"),
		Switch: h.target.killSwitch, Limits: limits, Stabilise: c.Stabilise,
		ScrapeInterval: c.ScrapeInterval, AnswerWithin: c.AnswerWithin,
	}
	if h.config.Budget, err = c.budget(client); err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.engine, err = engine.New(h.config)
	if err == nil {
		h.notifier, err = notify.New(notify.Config{
			Notices: h.store, Incidents: h.store, Receivers: receivers, Transport: client.Transport,
			Logger: senses.Logger(), Registerer: senses.Registerer(),
		})
	}
	if err == nil {
		h.handler, err = c.serve(h, senses, secret)
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// close gives back what assemble took, when nobody works with it any more.
func (h *healer) close() error {
	h.target.stop()
	return h.store.Close()
}

// edge reads one URL, or the ready replicas of a workload, with synthetic checkouts where there are to be some.
func (c serveCommand) edge(client *http.Client, from verify.Workloads, metrics prometheus.Registerer) (engine.Edge, error) {
	where := verify.EdgeConfig{URL: c.EdgeMetricsURL, Client: client}
	if c.EdgeWorkload != "" {
		where = verify.EdgeConfig{
			Instances: verify.ReadyReplicas(from, c.EdgeWorkload), Source: "the ready replicas of " + c.EdgeWorkload, Client: client,
		}
	}
	edge, err := verify.NewEdge(where)
	if err != nil || c.ProbeURL == "" {
		return edge, err
	}
	return verify.NewProbe(verify.ProbeConfig{Edge: edge, URL: c.ProbeURL, Body: c.ProbeBody, Client: client, Registerer: metrics})
}

func (c serveCommand) gatherer(client *http.Client, from target, admin *pgadmin.Admin, door evidence.EdgeReader) (*evidence.Gatherer, error) {
	samples, err := prom.New(query.Config{URL: c.PrometheusURL, Client: client})
	if err != nil {
		return nil, err
	}
	metrics, err := evidence.NewPrometheus(evidence.PrometheusConfig{
		Sampler: samples, Interval: c.ScrapeInterval, Edge: c.EdgeWorkload, ReleaseWindow: c.ReleaseWindow,
	})
	if err != nil {
		return nil, err
	}
	sessions, err := evidence.NewPostgres(evidence.PostgresConfig{Server: admin})
	if err != nil {
		return nil, err
	}
	collectors := []evidence.Collector{metrics, sessions}
	witnesses, err := c.witnesses(client)
	if err != nil {
		return nil, err
	}
	return evidence.New(evidence.Config{
		Collectors: append(collectors, witnesses...), Lister: from.control, ListQuery: from.listQuery, Edge: door,
		Offenders: samples,
	})
}

// witnesses are the sources that corroborate and illustrate; a diagnosis does without them.
func (c serveCommand) witnesses(client *http.Client) ([]evidence.Collector, error) {
	var found []evidence.Collector
	if c.LokiURL != "" {
		logs, err := loki.New(loki.Config{Query: query.Config{URL: c.LokiURL, Client: client}})
		if err != nil {
			return nil, err
		}
		found = append(found, logs)
	}
	if c.JaegerURL != "" {
		traces, err := jaeger.New(jaeger.Config{Query: query.Config{URL: c.JaegerURL, Client: client}})
		if err != nil {
			return nil, err
		}
		found = append(found, traces)
	}
	return found, nil
}

// budget reads the error budgets by a policy; nil where none is in use.
func (c serveCommand) budget(client *http.Client) (func(context.Context) (engine.Budget, error), error) {
	if c.BudgetPolicy == "" {
		return nil, nil
	}
	rules, err := policy.Default()
	if c.BudgetPolicy != "default" {
		rules, err = policy.Load(c.BudgetPolicy)
	}
	if err != nil {
		return nil, err
	}
	budgets, err := query.NewPrometheus(query.Config{URL: c.PrometheusURL, Client: client})
	if err != nil {
		return nil, err
	}
	edge := c.EdgeWorkload
	if edge == "" {
		edge = "storefront"
	}
	gate, err := budget.New(budget.Config{Prometheus: budgets, Policy: rules, Edge: edge})
	if err != nil {
		return nil, err
	}
	return gate.Read, nil
}

func (c serveCommand) serve(h *healer, senses *telemetry.Telemetry, secret string) (http.Handler, error) {
	changes := ""
	if c.APITokenFile != "" {
		var err error
		if changes, err = token("--api-token-file", c.APITokenFile); err != nil {
			return nil, err
		}
	}
	hook, err := webhook.New(webhook.Config{
		Deliveries: h.store, Token: secret, Wake: h.engine.Wake, Logger: senses.Logger(), Registerer: senses.Registerer(),
	})
	if err != nil {
		return nil, err
	}
	handler, err := api.New(api.Config{
		Records: h.store, People: h.store, Token: changes, Switch: h.target.killSwitch, Autonomy: h.config.Limits.Autonomy,
		Wake: h.engine.Wake, Webhook: hook, Metrics: senses.MetricsHandler(), Ready: h.store.Ping, Logger: senses.Logger(),
	})
	if err != nil {
		return nil, err
	}
	return senses.Middleware(handler), nil
}
