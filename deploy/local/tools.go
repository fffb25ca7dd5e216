package local

import (
	"context"
	"fmt"

	"github.com/faultline-lab/faultline/deploy/local/stack"
	"github.com/faultline-lab/faultline/deploy/toolchain"
)

// tools finds the programs that are not ours, or builds them with progress.
func tools(ctx context.Context, opts Options) (stack.Tools, error) {
	found, err := toolchain.Ensure(ctx, toolchain.Options{CacheDir: opts.CacheDir, Progress: opts.Progress},
		toolchain.Prometheus, toolchain.Alertmanager, toolchain.Loki, toolchain.Jaeger, toolchain.Toxiproxy)
	if err != nil {
		return stack.Tools{}, err
	}
	return stack.Tools{
		Prometheus: found[toolchain.Prometheus].Path, Alertmanager: found[toolchain.Alertmanager].Path,
		Loki: found[toolchain.Loki].Path, Jaeger: found[toolchain.Jaeger].Path, Toxiproxy: found[toolchain.Toxiproxy].Path,
	}, nil
}

// grafana finds one, or says once that there is none.
func grafana(ctx context.Context, opts Options) (*stack.Grafana, error) {
	found, err := toolchain.FindGrafana(ctx, toolchain.Options{Progress: opts.Progress, LookPath: opts.LookPath})
	if err != nil {
		return nil, err
	}
	if found == nil {
		fmt.Fprintln(opts.Progress, toolchain.GrafanaAbsent)
		return nil, nil
	}
	return &stack.Grafana{Binary: found.Path, Home: found.Home}, nil
}
