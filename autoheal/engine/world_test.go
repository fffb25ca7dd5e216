package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

const (
	poolSize  = 4
	stopTakes = time.Second // a leaked pool's Close blocks until the drain's bound
	bootTakes = 300 * time.Millisecond
)

// world is a patient in virtual time. Only the outside is faked: what Prometheus, Postgres, the control API and the edge
// would answer. Collectors, diagnosis, guards, remedy, store and engine are the real ones.
type world struct {
	mu       sync.Mutex
	begun    time.Time
	scrape   time.Duration // how often Prometheus scrapes
	replicas map[string]*replica
	order    []string

	restarts   map[string]int // by start id: how often a restart took effect
	optIn      bool
	unlisted   bool  // the workload list cannot be read
	prometheus error // what Prometheus answers instead, when not nil
	postgres   error
	edgeDown   bool
	shelters   []span                    // when the edge was in mode accept
	useless    bool                      // which helps nobody
	outside    bool                      // the edge fails for a reason that no replica shows
	busy       map[string]bool           // replicas whose pool is full of work: nothing is leaked
	rested     map[string]time.Time      // when the work of a busy one ended
	before     func(replica string)      // called before a restart is taken
	after      func(replica string)      // called after a restart was taken
	onReady    func(id string, at *life) // lets a scenario make a new life sick again
	conflict   map[string]bool           // somebody else restarts the replica just before us
}

// replica has lives: each start is one.
type replica struct{ lives []*life }

type life struct {
	startID           string
	start, ready, end time.Time // the zero end means it lives
	stopping          time.Time // when it was asked to end
	leaked            time.Time // when its last connection was leaked; zero: it is well
}

func newWorld(ids ...string) *world {
	w := &world{
		begun: time.Now(), scrape: time.Second, replicas: map[string]*replica{}, restarts: map[string]int{}, optIn: true,
		busy: map[string]bool{}, rested: map[string]time.Time{}, conflict: map[string]bool{}, order: ids,
	}
	for i, id := range ids {
		old := time.Now().Add(-time.Hour)
		w.replicas[id] = &replica{lives: []*life{{startID: fmt.Sprintf("%s-start-%d", id, i), start: old, ready: old}}}
	}
	return w
}

func (w *world) leak(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		r := w.replicas[id]
		r.lives[len(r.lives)-1].leaked = time.Now()
	}
}

// work fills a replica's pool with work; rest ends it, and leaves its connections idle.
func (w *world) work(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy[id] = true
}

func (w *world) rest(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rested[id] = time.Now()
}

// works says whether a replica's pool was full of work at a moment.
func (w *world) works(id string, at time.Time) bool {
	end, ended := w.rested[id]
	return w.busy[id] && (!ended || at.Before(end))
}

func (w *world) cure(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.replicas[id]
	r.lives[len(r.lives)-1].leaked = time.Time{}
}

func (r *replica) at(t time.Time) *life {
	for _, l := range r.lives {
		if !t.Before(l.start) && (l.end.IsZero() || t.Before(l.end)) {
			return l
		}
	}
	return nil
}

func (l *life) leaking(t time.Time) bool { return !l.leaked.IsZero() && !t.Before(l.leaked) }

func (l *life) state(t time.Time) string {
	switch {
	case !l.stopping.IsZero() && !t.Before(l.stopping):
		return workload.Stopping
	case t.Before(l.ready):
		return workload.Starting
	}
	return workload.Ready
}

// Workloads is the workload list.
func (w *world) Workloads(context.Context) ([]workload.Workload, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unlisted {
		return nil, errors.New("the control API does not answer")
	}
	labels := map[string]string{}
	if w.optIn {
		labels[workload.OptInLabel] = "enabled"
	}
	now := time.Now()
	orders := workload.Workload{Name: "orders", Labels: labels, Desired: len(w.order), Version: "v1"}
	for _, id := range w.order {
		r := workload.Replica{ID: id, Version: "v1", State: workload.Crashed}
		if l := w.replicas[id].at(now); l != nil {
			r.StartID, r.State, r.StartedAt = l.startID, l.state(now), l.start
		}
		orders.Replicas = append(orders.Replicas, r)
	}
	return []workload.Workload{orders, {Name: "storefront"}}, nil
}

// Workload is the live state of one.
func (w *world) Workload(ctx context.Context, name string) (workload.Workload, error) {
	if ctx.Err() != nil {
		return workload.Workload{}, ctx.Err()
	}
	all, err := w.Workloads(ctx)
	if err != nil {
		return workload.Workload{}, err
	}
	for _, one := range all {
		if one.Name == name {
			return one, nil
		}
	}
	return workload.Workload{}, workload.ErrNotFound
}

// Restart ends a replica and starts it anew, if its start id still is this one.
func (w *world) Restart(ctx context.Context, _, id, startID string) error {
	if w.before != nil {
		w.before(id)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := w.restart(id, startID); err != nil {
		return err
	}
	if w.after != nil {
		w.after(id)
	}
	return ctx.Err()
}

func (w *world) restart(id, startID string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conflict[id] {
		w.conflict[id] = false
		w.renew(id)
		lives := w.replicas[id].lives
		gone, next := lives[len(lives)-2], lives[len(lives)-1]
		gone.end, next.start, next.ready = time.Now(), time.Now(), time.Now().Add(bootTakes)
	}
	l := w.replicas[id].at(time.Now())
	if l == nil || l.startID != startID {
		return workload.ErrConflict
	}
	if l.stopping.IsZero() {
		w.restarts[startID]++
		w.renew(id)
	}
	return nil
}

func (w *world) renew(id string) {
	r := w.replicas[id]
	l := r.lives[len(r.lives)-1]
	l.stopping = time.Now()
	l.end = l.stopping.Add(stopTakes)
	next := &life{startID: fmt.Sprintf("%s-life-%d", id, len(r.lives)), start: l.end, ready: l.end.Add(bootTakes)}
	if w.onReady != nil {
		w.onReady(id, next)
	}
	r.lives = append(r.lives, next)
}

// Activity is pg_stat_activity.
func (w *world) Activity(context.Context) (evidence.Activity, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	activity := evidence.Activity{MaxConnections: 40, Query: "SELECT from the world"}
	if w.postgres != nil {
		return activity, w.postgres
	}
	now := time.Now()
	for _, id := range w.order {
		l := w.replicas[id].at(now)
		if l == nil {
			continue
		}
		for i := range poolSize {
			s := evidence.Session{ApplicationName: "orders/" + id, State: "idle", InState: 0.02}
			switch {
			case l.leaking(now):
				s.InState = now.Sub(l.leaked).Seconds()
			case w.busy[id] && !w.works(id, now):
				s.InState = now.Sub(w.rested[id]).Seconds()
			case w.busy[id] || i%2 == 0:
				s.State = "idle in transaction"
			}
			activity.Sessions = append(activity.Sessions, s)
		}
	}
	return activity, nil
}

// Samples is Prometheus, which has scraped every replica at each full interval.
func (w *world) Samples(_ context.Context, selector string) ([]evidence.Series, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.prometheus != nil {
		return nil, w.prometheus
	}
	if strings.Contains(selector, "http_server_request") {
		return w.edgeSeries(), nil
	}
	var all []evidence.Series
	for _, id := range w.order {
		s := evidence.Series{Labels: map[string]string{"job": "orders", "instance": id}}
		for _, ts := range w.scrapes() {
			if l := w.replicas[id].at(ts); l != nil && !ts.Before(l.ready) {
				s.Samples = append(s.Samples, evidence.Sample{At: ts, Value: w.metric(selector, id, l, ts)})
			}
		}
		if len(s.Samples) > 0 {
			all = append(all, s)
		}
	}
	return all, nil
}

func (w *world) scrapes() []time.Time {
	var times []time.Time
	last := time.Now().Truncate(w.scrape)
	for i := 4; i >= 0; i-- {
		times = append(times, last.Add(-time.Duration(i)*w.scrape))
	}
	return times
}

func (w *world) metric(selector, id string, l *life, ts time.Time) float64 {
	full := l.leaking(ts) || w.works(id, ts)
	switch {
	case strings.Contains(selector, `state="idle"`):
		return pick(full, 0, 2)
	case strings.Contains(selector, `state="used"`):
		return pick(full, poolSize, 2)
	case strings.Contains(selector, "connection_max"):
		return poolSize
	case strings.Contains(selector, "pending"):
		return pick(full, 8, 0)
	case strings.Contains(selector, "timeouts"):
		switch {
		case l.leaking(ts):
			return max(0, 20*(ts.Sub(l.leaked).Seconds()-0.4))
		case w.busy[id]:
			return 5 * ts.Sub(l.ready).Seconds()
		}
		return 0
	case strings.Contains(selector, "use_time"):
		if l.leaking(ts) {
			return 20 * l.leaked.Sub(l.ready).Seconds()
		}
		return 20 * ts.Sub(l.ready).Seconds()
	}
	return 0 // refused connects
}

func pick(yes bool, a, b float64) float64 {
	if yes {
		return a
	}
	return b
}

// goodShare is the share of checkouts that are good at a moment: requests go round robin to the ready replicas.
func (w *world) goodShare(ts time.Time) float64 {
	ready, well := 0.0, 0.0
	for _, id := range w.order {
		l := w.replicas[id].at(ts)
		if l == nil || l.state(ts) != workload.Ready {
			continue
		}
		ready++
		if !l.leaking(ts) {
			well++
		}
	}
	if w.sheltered(ts) && !w.useless {
		return 1
	}
	if ready == 0 || w.outside {
		return 0
	}
	return well / ready
}

// counters adds up 40 checkouts a second since the world began.
func (w *world) counters(until time.Time) verify.Counts {
	const step = 50 * time.Millisecond
	var c verify.Counts
	for ts := w.begun; ts.Before(until); ts = ts.Add(step) {
		c.Total += 2
		c.Good += 2 * w.goodShare(ts)
	}
	return c
}

func (w *world) edgeSeries() []evidence.Series {
	labels := func(name, status string) map[string]string {
		return map[string]string{"__name__": "http_server_request_duration_seconds_" + name, "http_response_status_code": status}
	}
	all, good, bad := evidence.Series{Labels: labels("count", "201")}, evidence.Series{Labels: labels("bucket", "201")},
		evidence.Series{Labels: labels("count", "503")}
	for _, ts := range w.scrapes() {
		c := w.counters(ts)
		all.Samples = append(all.Samples, evidence.Sample{At: ts, Value: c.Good})
		good.Samples = append(good.Samples, evidence.Sample{At: ts, Value: c.Good})
		bad.Samples = append(bad.Samples, evidence.Sample{At: ts, Value: c.Total - c.Good})
	}
	return []evidence.Series{all, good, bad}
}

// edge is the edge's own metrics page.
type edge struct{ *world }

func (edge) Source() string { return "the world's edge" }

func (e edge) Read(context.Context) (verify.Readout, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.edgeDown {
		return nil, errors.New("connection refused")
	}
	return verify.Readout{"storefront-1": e.counters(time.Now())}, nil
}
