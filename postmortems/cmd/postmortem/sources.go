package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/postmortems/gather"
	"github.com/faultline-lab/faultline/postmortems/record"
)

// addresses are where everything answers; an empty one is not known, and noStack then says why.
type addresses struct {
	endpoints.Endpoints

	noStack string
}

// resolve takes the flags first, then the running stack's file. No stack is no error here: a record in a file needs
// none.
func resolve(opts options) (addresses, error) {
	var at addresses
	stack, err := endpoints.Read(opts.Stack)
	switch {
	case errors.Is(err, endpoints.ErrNotRunning):
		at.noStack = fmt.Sprintf("no stack is running here (%s), and no address was given", opts.Stack)
	case err != nil:
		return at, fmt.Errorf("where the stack answers: %w (remove the file, or start the stack anew with `make up`)", err)
	}
	at.Endpoints = stack.Endpoints
	at.Autoheal = cmp.Or(opts.Autoheal, at.Autoheal)
	at.Prometheus = cmp.Or(opts.Prometheus, at.Prometheus)
	at.Jaeger = cmp.Or(opts.Jaeger, at.Jaeger)
	at.Loki = cmp.Or(opts.Loki, at.Loki)
	return at, nil
}

// api is autoheal's, or an error that says how to name it.
func (a addresses) api() (*record.API, error) {
	if a.Autoheal == "" {
		return nil, fmt.Errorf("%s: start one with `make up`, name autoheal with --autoheal URL, or give the incident as a JSON file",
			cmp.Or(a.noStack, "the stack's file names no autoheal"))
	}
	return record.NewAPI(record.Config{BaseURL: a.Autoheal})
}

// gatherer knows those sources that have an address, and for the others why they have none.
func (a addresses) gatherer(scrape time.Duration) (*gather.Gatherer, error) {
	cfg := gather.Config{Now: time.Now, ScrapeInterval: scrape, Missing: map[string]string{}}
	missing := func(source, flag string) {
		cfg.Missing[source] = fmt.Sprintf("%s (%s URL)", cmp.Or(a.noStack, "the stack's file does not name it"), flag)
	}
	if a.Prometheus == "" {
		missing("prometheus", "--prometheus")
	} else {
		client, err := query.NewPrometheus(query.Config{URL: a.Prometheus})
		if err != nil {
			return nil, usage(err)
		}
		cfg.Metrics = client
	}
	if a.Jaeger == "" {
		missing("jaeger", "--jaeger")
	} else {
		client, err := query.NewJaeger(query.Config{URL: a.Jaeger})
		if err != nil {
			return nil, usage(err)
		}
		cfg.Traces = client
	}
	if a.Loki == "" {
		missing("loki", "--loki")
	} else {
		client, err := query.NewLoki(query.Config{URL: a.Loki})
		if err != nil {
			return nil, usage(err)
		}
		cfg.Logs = client
	}
	return gather.New(cfg)
}
