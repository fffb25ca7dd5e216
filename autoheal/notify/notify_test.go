package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// kept is a real store with notices in it.
type kept struct {
	*store.Store
	t *testing.T
}

func open(t *testing.T) kept {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // its content is not needed any more
	return kept{s, t}
}

// tell stores notices of these kinds, now.
func (k kept) tell(kinds ...incident.NoticeKind) {
	k.t.Helper()
	at := time.Now()
	began := at.Add(-time.Minute)
	change := store.Change{Incident: incident.Incident{
		ID: "one", State: incident.Received, Stages: incident.Stages{WebhookReceived: &began, AlertStartsAt: &began},
	}}
	for i, kind := range kinds {
		change.Notices = append(change.Notices, incident.Notice{
			At: at, IncidentID: "one", Kind: kind, Page: kind == incident.NoticeHanded, Text: fmt.Sprintf("%d: %q", i, kind),
			Workload: "orders", Cause: incident.ConnectionLeak,
		})
	}
	if err := k.Save(k.t.Context(), change); err != nil {
		k.t.Fatal(err)
	}
}

func (k kept) untold(receiver string) int {
	k.t.Helper()
	left, err := k.Untold(context.WithoutCancel(k.t.Context()), receiver, store.Wanted{}, 1000)
	if err != nil {
		k.t.Fatal(err)
	}
	return len(left)
}

// inbox is a receiver's server: it notes what came, and answers what it is told to.
type inbox struct {
	mu     sync.Mutex
	bodies []string
	keys   []string
	times  []time.Time
	header http.Header
	answer func(call int, w http.ResponseWriter)
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bodies = append(b.bodies, string(body))
	b.keys = append(b.keys, r.Header.Get("Idempotency-Key"))
	b.times = append(b.times, time.Now())
	b.header = r.Header.Clone()
	if b.answer != nil {
		b.answer(len(b.bodies), w)
	}
}

func (b *inbox) seen() (bodies, keys []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.bodies), slices.Clone(b.keys)
}

// RoundTrip makes an inbox a transport, for tests in virtual time, where no socket may be.
func (b *inbox) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w.Result(), nil
}

func receivers(t *testing.T, text string) []Receiver {
	t.Helper()
	found, err := Parse("n.yaml", []byte("version: 1\nreceivers:\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

type running struct {
	registry *prometheus.Registry
	log      *bytes.Buffer // to be read when it has stopped
	stop     func()
}

// start runs a notifier until stop is called. It polls often in real time, and as usual in virtual time.
func start(t *testing.T, k Notices, from Incidents, through http.RoundTripper, to []Receiver) running {
	t.Helper()
	poll := time.Duration(0)
	if through == http.DefaultTransport {
		poll = 10 * time.Millisecond
	}
	r := running{registry: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	n, err := New(Config{
		Notices: k, Incidents: from, Receivers: to, Logger: slog.New(slog.NewTextHandler(r.log, nil)), Registerer: r.registry,
		Transport: through, Poll: poll, Chance: func() float64 { return 0.5 },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		_ = n.Run(ctx)
		close(ended)
	}()
	r.stop = func() {
		cancel()
		<-ended
	}
	return r
}

func (r running) counted(t *testing.T, want string) {
	t.Helper()
	err := testutil.GatherAndCompare(r.registry, strings.NewReader("# HELP autoheal_notifications_total Notices by receiver and result: sent, given-up, and failed for each try that was not taken.\n# TYPE autoheal_notifications_total counter\n"+want),
		"autoheal_notifications_total")
	if err != nil {
		t.Error(err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAWebhookGetsWhatItAskedForInOrderAndOverRealHTTP(t *testing.T) {
	k, box := open(t), &inbox{}
	server := httptest.NewServer(box)
	defer server.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"token": "tell-nobody\n", "url": server.URL + "/hidden/path\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.tell(incident.NoticeOpened, incident.NoticeHanded, incident.NoticeActed, incident.NoticeApproval)
	r := start(t, k, k, http.DefaultTransport, receivers(t, `  - name: chat
    kinds: [opened, acted, approval]
    webhook:
      url_file: `+dir+`/url
      headers: {authorization: {prefix: "Bearer ", file: `+dir+`/token}}
      body: '{"t": {{json .Text}}, "k": {{json .Kind}}}'
  - name: pager
    pages_only: true
    webhook: {url: "`+server.URL+`/pager", headers: {Content-Type: {value: text/plain}}, body: "page {{.Text}}"}
`))
	eventually(t, "not all came", func() bool { b, _ := box.seen(); return len(b) == 4 && k.untold("chat") == 1 })
	r.stop()
	bodies, keys := box.seen()
	var chat, pages []string
	for _, b := range bodies {
		if strings.HasPrefix(b, "page ") {
			pages = append(pages, b)
		} else {
			chat = append(chat, b)
		}
	}
	want := []string{`{"t": "0: \"opened\"", "k": "opened"}`, `{"t": "2: \"acted\"", "k": "acted"}`, `{"t": "3: \"approval\"", "k": "approval"}`}
	if !slices.Equal(chat, want) || !slices.Equal(pages, []string{`page 1: "handed-over"`}) {
		t.Errorf("chat got %q, the pager %q", chat, pages)
	}
	if slices.Sort(keys); len(slices.Compact(keys)) != 4 {
		t.Errorf("the keys are %q", keys)
	}
	if strings.Contains(r.log.String(), "tell-nobody") || strings.Contains(r.log.String(), "hidden") {
		t.Errorf("a secret is in the log: %s", r.log)
	}
}

func TestARefusalForGoodIsGivenUpAndARedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{400, 401, 404, 307} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			k, stolen := open(t), &inbox{}
			thief := httptest.NewServer(stolen)
			defer thief.Close()
			box := &inbox{answer: func(call int, w http.ResponseWriter) {
				if call == 1 {
					w.Header().Set("Location", thief.URL)
					w.WriteHeader(status)
				}
			}}
			server := httptest.NewServer(box)
			defer server.Close()
			k.tell(incident.NoticeOpened, incident.NoticeHanded)
			r := start(t, k, k, http.DefaultTransport, receivers(t, "  - {name: chat, webhook: {url: '"+server.URL+"'}}\n"))
			eventually(t, "the second did not come", func() bool { return k.untold("chat") == 0 })
			r.stop()
			if b, _ := stolen.seen(); len(b) > 0 {
				t.Error("the redirect was followed, headers and all")
			}
			if bodies, _ := box.seen(); len(bodies) != 2 || !strings.Contains(r.log.String(), "given up") {
				t.Errorf("it got %d requests; log: %s", len(bodies), r.log)
			}
			r.counted(t, `autoheal_notifications_total{receiver="chat",result="failed"} 1
autoheal_notifications_total{receiver="chat",result="given-up"} 1
autoheal_notifications_total{receiver="chat",result="sent"} 1
`)
		})
	}
}

// What is in the network at the time of death has perhaps arrived; so it is sent again, under the same key.
func TestAfterADeathNothingIsLostAndWhatIsRepeatedHasTheSameKey(t *testing.T) {
	k := open(t)
	box := &inbox{}
	k.tell(incident.NoticeOpened, incident.NoticeActed, incident.NoticeRecovered)
	to := receivers(t, "  - {name: chat, webhook: {url: 'http://chat'}}\n")
	// The first life gets its answer and dies before it has recorded so.
	first := start(t, unrecorded{k}, k, box, to)
	eventually(t, "nothing came", func() bool { b, _ := box.seen(); return len(b) == 1 })
	first.stop()
	second := start(t, k, k, box, to)
	eventually(t, "not all came", func() bool { return k.untold("chat") == 0 })
	second.stop()
	bodies, keys := box.seen()
	if len(bodies) != 4 || bodies[0] != bodies[1] || keys[0] != keys[1] || keys[0] == "" {
		t.Errorf("came: %q with keys %q", bodies, keys)
	}
	for i, kind := range []incident.NoticeKind{incident.NoticeOpened, incident.NoticeActed, incident.NoticeRecovered} {
		if !strings.Contains(bodies[i+1], `"kind":"`+string(kind)+`"`) {
			t.Errorf("number %d is %s; want %s", i+2, bodies[i+1], kind)
		}
	}
}

// unrecorded is a store that cannot be written.
type unrecorded struct{ kept }

func (unrecorded) Told(context.Context, int64, string, string, time.Time) error {
	return errors.New("disk full")
}

func TestADeadReceiverHoldsUpNobodyAndIsTriedEverMoreSeldom(t *testing.T) {
	k := open(t)
	synctest.Test(t, func(t *testing.T) {
		dead := &inbox{answer: func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }}
		alive := &inbox{}
		k.tell(incident.NoticeOpened, incident.NoticeHanded)
		r := start(t, k, k, byHost{"dead": dead, "alive": alive}, receivers(t, `  - {name: dead, webhook: {url: "http://dead"}}
  - {name: alive, webhook: {url: "http://alive"}}
`))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if bodies, _ := alive.seen(); len(bodies) != 2 || alive.times[1].Sub(dead.times[0]) > time.Second {
			t.Errorf("the living got %d, the last %s after the first", len(bodies), alive.times[1].Sub(dead.times[0]))
		}
		r.stop()
		gaps := []time.Duration{}
		for i := 1; i < 8; i++ {
			gaps = append(gaps, dead.times[i].Sub(dead.times[i-1]))
		}
		want := []time.Duration{750 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 6 * time.Second, 12 * time.Second, 24 * time.Second, 45 * time.Second}
		if !slices.Equal(gaps, want) {
			t.Errorf("the pauses are %s; want %s", gaps, want)
		}
		// The second is older than the patience by then, and yet was tried once.
		if last := dead.bodies[len(dead.bodies)-1]; !strings.Contains(last, "handed-over") || k.untold("dead") != 0 {
			t.Errorf("the last try was %s; %d are left", last, k.untold("dead"))
		}
		if tried := dead.times[len(dead.times)-1].Sub(dead.times[0]); tried > time.Hour+time.Minute {
			t.Errorf("it was tried for %s", tried)
		}
	})
}

type byHost map[string]*inbox

func (b byHost) RoundTrip(r *http.Request) (*http.Response, error) { return b[r.URL.Host].RoundTrip(r) }

func TestRetryAfterIsHonouredInBothItsForms(t *testing.T) {
	for name, form := range map[string]func() string{
		"seconds": func() string { return "90" },
		"a date":  func() string { return time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t)
			synctest.Test(t, func(t *testing.T) {
				box := &inbox{answer: func(call int, w http.ResponseWriter) {
					if call == 1 {
						w.Header().Set("Retry-After", form())
						w.WriteHeader(http.StatusTooManyRequests)
					}
				}}
				k.tell(incident.NoticeHanded)
				r := start(t, k, k, box, receivers(t, "  - {name: chat, webhook: {url: 'http://chat'}}\n"))
				time.Sleep(5 * time.Minute)
				r.stop()
				if len(box.times) != 2 || box.times[1].Sub(box.times[0]) < 89*time.Second || box.times[1].Sub(box.times[0]) > 91*time.Second {
					t.Errorf("tried at %s", box.times)
				}
			})
		})
	}
}

func TestASecretThatIsNotThereYetIsWaitedForAndAReceiverThatHangsIsLeft(t *testing.T) {
	k := open(t)
	path := filepath.Join(t.TempDir(), "token")
	synctest.Test(t, func(t *testing.T) {
		box := &inbox{}
		k.tell(incident.NoticeHanded)
		r := start(t, k, k, hangsOnce(box), receivers(t, `  - name: chat
    timeout: 3s
    webhook: {url: "http://chat", headers: {X-Key: {file: `+path+`}}}
`))
		time.Sleep(time.Minute)
		if len(box.times) != 0 {
			t.Error("it was sent without its secret")
		}
		if err := os.WriteFile(path, []byte("k"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		r.stop()
		if len(box.times) != 1 || box.header.Get("X-Key") != "k" {
			t.Errorf("it got %d requests, key %q", len(box.times), box.header.Get("X-Key"))
		}
	})
}

// hangsOnce never answers the first request.
func hangsOnce(then http.RoundTripper) http.RoundTripper {
	var once sync.Once
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		var err error
		once.Do(func() {
			<-r.Context().Done()
			err = r.Context().Err()
		})
		if err != nil {
			return nil, err
		}
		return then.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestGrafanaGetsALineForWhatHappenedAndARegionForAnIncident(t *testing.T) {
	k, box := open(t), &inbox{}
	server := httptest.NewServer(box)
	defer server.Close()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("glsa_x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.tell(incident.NoticeActed, incident.NoticeRecovered)
	r := start(t, k, k, http.DefaultTransport, receivers(t, "  - {name: g, grafana: {url: '"+server.URL+"', token_file: "+path+"}}\n"))
	eventually(t, "not all came", func() bool { return k.untold("g") == 0 })
	r.stop()
	bodies, _ := box.seen()
	if len(bodies) != 2 || box.header.Get("Authorization") != "Bearer glsa_x" {
		t.Fatalf("got %q with %v", bodies, box.header)
	}
	for _, want := range []string{`"tags":["autoheal","recovered","notice-2","orders","connection-leak","one"]`, `"timeEnd":`} {
		if !strings.Contains(bodies[1], want) {
			t.Errorf("%s lacks %s", bodies[1], want)
		}
	}
	if strings.Contains(bodies[0], "timeEnd") {
		t.Errorf("a moment has an end: %s", bodies[0])
	}
}
