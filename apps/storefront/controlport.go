package storefront

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/service"
	"github.com/faultline-lab/faultline/apps/storefront/control"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
	"github.com/faultline-lab/faultline/apps/storefront/queue"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// controlBound is how long one call of the control API may take, and its end.
const controlBound = time.Second

// serveControl binds the control port and serves it beside the shop until the service ends.
func (c Config) serveControl(ctx context.Context, s *service.Service, keeper *mode.Keeper, balancer *Balancer, waiting *queue.Queue) error {
	if c.ControlListen == "" {
		return nil
	}
	handler, err := c.controlHandler(keeper, balancer, waiting)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.ControlListen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; free the port or give another one with --control-listen", c.ControlListen, err)
	}
	server := &http.Server{Handler: quiet(s.Telemetry.Middleware(handler)), ReadHeaderTimeout: controlBound}
	s.OnClose("control port", func(context.Context) error { return server.Close() })
	s.Background("control port", func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { _ = server.Close() })()
		s.Log.InfoContext(ctx, "control port is open", "address", listener.Addr().String())
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return nil
}

func (c Config) controlHandler(keeper *mode.Keeper, balancer *Balancer, waiting *queue.Queue) (http.Handler, error) {
	token, err := endpoints.Token(c.ControlTokenFile)
	if err != nil {
		return nil, fmt.Errorf("--control-token-file: %w", err)
	}
	if token == "" {
		return nil, fmt.Errorf("--control-token-file: %s is empty; write a long random word into it", c.ControlTokenFile)
	}
	cfg := control.Config{Keeper: keeper, Token: token, Backends: func() control.Backends {
		return control.Backends{Stable: balancer.Backends(Stable), Standby: balancer.Backends(Standby)}
	}}
	if waiting != nil {
		cfg.Backlog = func(ctx context.Context) (control.Backlog, error) {
			backlog, err := waiting.Backlog(ctx)
			return control.Backlog{Waiting: backlog.Waiting, OldestSeconds: backlog.OldestAge.Seconds()}, err
		}
	}
	handler, err := control.Handler(cfg)
	if err != nil {
		return nil, err
	}
	return service.Deadline(controlBound)(handler), nil
}

// quiet keeps reads out of the trace store, where polls would push out the orders; they are measured. A change has its span,
// and so has a read whose caller traces it: its traceparent outweighs what is said here.
func quiet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			r = r.WithContext(service.Untraced(r.Context()))
		}
		next.ServeHTTP(w, r)
	})
}
