package local

import (
	"context"
	"io"

	"github.com/faultline-lab/faultline/deploy/local/control"
	"github.com/faultline-lab/faultline/deploy/local/stack"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// sensesOf is the supervisor's own telemetry. It starts before Jaeger and Loki do, which are its children. What it sends
// comes of changes, and a workload that can be changed has begun, after both were ready.
func sensesOf(definition stack.Config, lines io.Writer) telemetry.Config {
	tracesURL, logsURL := stack.Backends(definition.Ports)
	return telemetry.Config{
		Service: control.Service, Instance: control.Service, Version: control.Version,
		TracesURL: tracesURL, LogsURL: logsURL, LogWriter: lines, LogFormat: "text", Off: definition.Blind,
	}
}

// lastWords sends what is left while the parts are being stopped, because Jaeger and Loki are among them and go after those that
// talk to them. The function it returns waits until that is done.
func lastWords(ctx context.Context, senses *telemetry.Telemetry) func() {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if err := senses.Shutdown(ctx); err != nil {
			senses.Logger().WarnContext(ctx, "telemetry did not end in order", "error", err.Error())
		}
	}()
	return func() { <-sent }
}
