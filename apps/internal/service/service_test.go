package service_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// running is one service under test.
type running struct {
	url    string
	stop   context.CancelFunc
	ended  chan error
	log    *lines
	closed *lines
}

// lines is a writer that may be read meanwhile.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T, build func(*service.Service, *running) http.Handler) *running {
	t.Helper()
	return startWith(t, service.Flags{}, build)
}

// startWith takes the flags that the test is about.
func startWith(t *testing.T, flags service.Flags, build func(*service.Service, *running) http.Handler) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, ended: make(chan error, 1), log: &lines{}, closed: &lines{}}
	listening := make(chan net.Addr, 1)
	flags.Listen, flags.Instance, flags.DrainTimeout = "127.0.0.1:0", "test-1", 20*time.Second
	flags.OnListen = func(a net.Addr) { listening <- a }
	go func() {
		r.ended <- service.Run(ctx, "test", flags, r.log, func(_ context.Context, s *service.Service) (http.Handler, error) {
			return build(s, r), nil
		})
	}()
	t.Cleanup(cancel)
	select {
	case address := <-listening:
		r.url = "http://" + address.String()
	case err := <-r.ended:
		t.Fatalf("did not start: %v", err)
	}
	return r
}

func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(15 * time.Second):
		t.Fatal("does not end")
		return nil
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestAServiceIsHealthyAndMeasuredFromTheStart(t *testing.T) {
	r := start(t, func(*service.Service, *running) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
		mux.HandleFunc("GET /broken", func(http.ResponseWriter, *http.Request) { panic("broken") })
		return mux
	})
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/hello": 200, "/broken": 500, "/nowhere": 404} {
		if status, body := get(t, r.url+path); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, body, want)
		}
	}
	if _, metrics := get(t, r.url+"/metrics"); !strings.Contains(metrics, `http_response_status_code="500"`) {
		t.Errorf("the panic's 500 is not measured:\n%s", metrics)
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestTheEndIsInOrder(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	r := start(t, func(s *service.Service, r *running) http.Handler {
		note := func(what string) { _, _ = r.closed.Write([]byte(what + " ")) }
		s.OnDrain(func() { note("draining"); close(finish) })
		s.OnClose("first", func(context.Context) error { note("first"); return nil })
		s.OnClose("second", func(context.Context) error { note("second"); return errors.New("stuck") })
		s.Background("job", func(ctx context.Context) error { <-ctx.Done(); note("job"); return nil })
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			<-finish
			note("request")
			w.WriteHeader(http.StatusTeapot)
		})
	})
	answered := make(chan int)
	go func() {
		status, _ := get(t, r.url+"/x")
		answered <- status
	}()
	<-entered
	r.stop()
	if status := <-answered; status != http.StatusTeapot {
		t.Errorf("the request in flight got %d, want its own answer", status)
	}
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
	want := []string{"draining", "request", "job", "second", "first"}
	if got := strings.Fields(r.closed.String()); !slices.Equal(got, want) {
		t.Errorf("ended in the order %v, want %v", got, want)
	}
	if !strings.Contains(r.log.String(), "stuck") {
		t.Error("the log does not say what could not be closed")
	}
}

// A caller's transport keeps spare connections on which it has never sent anything; net/http alone waits 5 s for them.
func TestAConnectionThatWasNeverUsedDoesNotHoldUpTheEnd(t *testing.T) {
	r := start(t, func(*service.Service, *running) http.Handler { return http.NotFoundHandler() })
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	get(t, r.url+"/livez") // by now the server has accepted the first connection too
	began := time.Now()
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the end took %s", took)
	}
}

func TestAJobThatEndsTooEarlyEndsTheService(t *testing.T) {
	r := start(t, func(s *service.Service, _ *running) http.Handler {
		s.Background("relay", func(context.Context) error { return nil })
		return http.NotFoundHandler()
	})
	if err := r.wait(t); err == nil || !strings.Contains(err.Error(), "relay") {
		t.Errorf("ended with %v, want an error that names the job", err)
	}
}

func TestATakenPortIsOneClearErrorAndWhatWasOpenedIsClosed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	closed := false
	flags := service.Flags{Listen: taken.Addr().String(), Instance: "test-1", DrainTimeout: time.Second}
	err = service.Run(context.Background(), "test", flags, io.Discard, func(_ context.Context, s *service.Service) (http.Handler, error) {
		s.OnClose("pool", func(context.Context) error { closed = true; return nil })
		return http.NotFoundHandler(), nil
	})
	if err == nil || !strings.Contains(err.Error(), "--listen") || !closed {
		t.Errorf("%v (closed: %v), want an error that says what to do", err, closed)
	}
}

func TestARequestGetsNoMoreThanItsDeadline(t *testing.T) {
	r := start(t, func(*service.Service, *running) http.Handler {
		return service.Deadline(10 * time.Millisecond)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			apierror.Write(w, r.Context().Err())
		}))
	})
	if status, body := get(t, r.url+"/x"); status != http.StatusGatewayTimeout {
		t.Errorf("%d %s, want 504", status, body)
	}
}
