package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
)

// prometheusFlags say which Prometheus is asked: the URL, else that of the stack which runs here.
type prometheusFlags struct {
	PrometheusURL string        `placeholder:"URL" help:"Prometheus to ask. Default: that of the stack that runs here."`
	StackFile     string        `default:"${stack_file}" type:"path" help:"File that says where the running stack answers."`
	Timeout       time.Duration `default:"10s" help:"The longest that one question to Prometheus may take."`
}

// stack is the running stack; without one, where a URL says enough, an empty one.
func (f prometheusFlags) stack() (endpoints.Stack, error) {
	if f.PrometheusURL != "" {
		return endpoints.Stack{}, nil
	}
	stack, err := endpoints.Read(f.StackFile)
	if errors.Is(err, endpoints.ErrNotRunning) {
		return stack, fmt.Errorf("%w, or name another Prometheus with --prometheus-url", err)
	}
	return stack, err
}

func (f prometheusFlags) client(stack endpoints.Stack) (*query.Prometheus, error) {
	url := f.PrometheusURL
	if url == "" {
		url = stack.Endpoints.Prometheus
	}
	return query.NewPrometheus(query.Config{URL: url, Timeout: f.Timeout})
}
