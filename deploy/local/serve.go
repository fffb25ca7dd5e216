package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/oklog/run"

	"github.com/faultline-lab/faultline/deploy/local/control"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/stack"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// serve runs the control API and the parts, until ctx ends or something fails.
func (o Options) serve(ctx context.Context, overseer *supervisor.Supervisor, board *board, definition stack.Config, senses *telemetry.Telemetry) error {
	token, err := endpoints.Token(definition.Folders.ControlToken)
	if err != nil {
		return err
	}
	handler, err := control.New(control.Config{
		Supervisor: overseer, Token: token, Log: senses.Logger(), Telemetry: senses, Address: o.Ports.Address(ports.Control),
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Ports.Address(ports.Control))
	if err != nil {
		return fmt.Errorf("the control API: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(senses.Logger().Handler(), slog.LevelWarn)}

	var group run.Group
	group.Add(func() error { return server.Serve(listener) }, func(error) { shutdown(server) })
	running, end := context.WithCancel(ctx)
	group.Add(func() error { return o.oversee(running, overseer, board, definition, senses) }, func(error) { end() })
	if err := group.Run(); err != nil && !errors.Is(err, errAsked) {
		return err
	}
	return nil
}

var errAsked = errors.New("asked to stop")

func shutdown(server *http.Server) {
	// The callers poll; what one of them waits for now comes within this.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close() // the requests that are left are cut off, which is meant
	}
}

// oversee starts the parts, says where they answer, waits for the end of ctx and stops them.
func (o Options) oversee(ctx context.Context, overseer *supervisor.Supervisor, board *board, definition stack.Config, senses *telemetry.Telemetry) error {
	began := time.Now()
	err := board.during(func() error { return overseer.Start(ctx) })
	if err == nil {
		err = o.announce(began, definition)
	}
	if err == nil {
		<-ctx.Done()
		err = errAsked
		fmt.Fprintln(o.Progress, "stopping")
	} else {
		err = startError(ctx, err)
		fmt.Fprintln(o.Progress, "not everything could be started: stopping what was")
	}
	// Readers must not take a stack that is ending for one that runs.
	if removing := os.Remove(definition.Folders.Stack); removing != nil && !errors.Is(removing, os.ErrNotExist) {
		err = errors.Join(err, removing)
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopBound)
	defer cancel()
	defer lastWords(bounded, senses)()
	if stopping := overseer.Stop(bounded); stopping != nil {
		return errors.Join(err, stopping)
	}
	fmt.Fprintln(o.Progress, "stopped")
	return err
}

func startError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before everything was ready: %w", context.Cause(ctx))
	}
	return err
}

// announce writes stack.json and tells people and the caller that everything is ready.
func (o Options) announce(began time.Time, definition stack.Config) error {
	running := stack.Address(definition)
	running.PID, running.StartedAt = os.Getpid(), began.UTC()
	if err := endpoints.Write(definition.Folders.Stack, running); err != nil {
		return err
	}
	fmt.Fprintf(o.Progress, "everything is ready after %.1f s: shop %s, healer %s\n",
		time.Since(began).Seconds(), running.Endpoints.Storefront, running.Endpoints.Autoheal)
	if running.Endpoints.Grafana != "" {
		fmt.Fprintf(o.Progress, "dashboards %s\n", running.Endpoints.Grafana)
	}
	if o.OnReady != nil {
		o.OnReady(running)
	}
	return nil
}
