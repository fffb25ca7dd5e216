package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// unusedGrace is how long a connection on which nothing has arrived is kept open after the port has closed.
const unusedGrace = 20 * time.Millisecond

type server struct {
	http     *http.Server
	listener net.Listener
	draining atomic.Bool

	mu     sync.Mutex
	unused map[net.Conn]struct{} // connected, and nothing was sent yet
}

func newServer(s *Service, api http.Handler) (*server, error) {
	listener, err := net.Listen("tcp", s.flags.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; free the port or give another one with --listen", s.flags.Listen, err)
	}
	srv := &server{listener: listener, unused: map[net.Conn]struct{}{}}
	srv.http = &http.Server{
		Handler:           srv.routes(s, api),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ConnState:         srv.track,
		ErrorLog:          slog.NewLogLogger(serverLog{s.Log.Handler()}, slog.LevelWarn),
	}
	return srv, nil
}

// routes puts the pages of machines beside the API. Telemetry is outside of the recovery from panics, so that it sees
// the 500, and at the root, so that it sees what no route takes.
func (srv *server) routes(s *Service, api http.Handler) http.Handler {
	root := chi.NewRouter()
	root.Use(s.observed, recovered(s.Log))
	root.Get("/livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	root.Get("/readyz", srv.ready)
	root.Handle("/metrics", s.Telemetry.MetricsHandler())
	root.Mount("/", api)
	return root
}

// observed is telemetry's middleware around all but the streams.
func (s *Service) observed(next http.Handler) http.Handler {
	seen := s.Telemetry.Middleware(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.stream != nil && s.stream(r) {
			next.ServeHTTP(w, r)
			return
		}
		seen.ServeHTTP(w, r)
	})
}

// ready is cheap on purpose: whoever is answered at all speaks to a service whose dependencies were reached and
// migrated before its port was bound. It does not look at the pool: a replica that has lost its connections stays
// ready, or one fault would take every replica out at once and hide behind "no backends".
func (srv *server) ready(w http.ResponseWriter, _ *http.Request) {
	if srv.draining.Load() {
		apierror.Write(w, apierror.New(apierror.Unavailable, "this replica is ending; ask another one"))
		return
	}
	w.WriteHeader(http.StatusOK)
}

func recovered(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() {
				fault := recover()
				if fault == nil {
					return
				}
				if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(fault)
				}
				log.ErrorContext(r.Context(), "panic in a handler", "panic", fmt.Sprint(fault), "path", r.URL.Path)
				if wrapped.Status() == 0 {
					apierror.Write(wrapped, fmt.Errorf("panic: %v", fault))
				}
			}()
			next.ServeHTTP(wrapped, r)
		})
	}
}

// Deadline gives each request at most d, whatever its caller would allow.
func Deadline(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

func (srv *server) address() net.Addr { return srv.listener.Addr() }

func (srv *server) serve() error {
	if err := srv.http.Serve(srv.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// shutdown closes the port and waits at most bound for requests in flight; then it breaks them off and says so.
func (srv *server) shutdown(bound time.Duration) error {
	srv.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	timer := time.AfterFunc(unusedGrace, srv.closeUnused)
	defer timer.Stop()
	if err := srv.http.Shutdown(ctx); err != nil {
		return errors.Join(err, srv.http.Close())
	}
	return nil
}

// track keeps the connections on which nothing has arrived: net/http would wait up to 5 s for them at the end, and
// callers' transports hold such spares.
func (srv *server) track(conn net.Conn, state http.ConnState) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if state == http.StateNew {
		srv.unused[conn] = struct{}{}
	} else {
		delete(srv.unused, conn)
	}
}

func (srv *server) closeUnused() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	for conn := range srv.unused {
		// Closing is all that is wanted of it.
		_ = conn.Close()
	}
}
