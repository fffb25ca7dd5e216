package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// invariant is what holds after every step, whatever happens.
type invariant string

const (
	nothingLost  invariant = "1: nothing that was acknowledged is lost"
	atMostOnce   invariant = "2: at most one effect per action, and none without a record"
	onlyKnown    invariant = "3: no action on what is not known, or against a guard"
	nothingLeft  invariant = "4: every change is undone, kept, lapsed or owned"
	itEnds       invariant = "5: it ends"
	withinLimits invariant = "6: one action in flight per workload, and the limits are kept"
	auditGrows   invariant = "7: the audit only grows"
)

// moment is how old the evidence of an action may be when it is asked for.
const moment = 5 * time.Second

type violation struct {
	invariant invariant
	what      string
}

// glance is the last that a healer saw of an incident, and what the real diagnosis says to it.
type glance struct {
	life      *life
	begun, at time.Time
	said      diagnose.Result
	unlisted  bool
}

// file is what the law knows of one incident.
type file struct {
	workload string
	trace    string
	state    incident.State
	audit    []string
}

// effect is one action that was asked for.
type effect struct {
	key    string
	action string // the restarts of one rolling restart are one
	at     time.Time
}

// law holds the healers to the invariants. It looks at the records through the store itself, past whatever stands between it and
// the engine.
type law struct {
	world *world

	mu       sync.Mutex
	found    []violation
	acked    map[string]bool
	glances  map[string]glance
	files    map[string]*file
	ids      map[string]string    // of incidents, by trace
	effects  map[string]time.Time // the last one, by key
	acted    []effect
	inFlight map[*life]map[string]string // the action's key by workload
	steps    int
	done     bool
}

func newLaw(w *world) *law {
	return &law{
		world: w, acked: map[string]bool{}, glances: map[string]glance{}, files: map[string]*file{}, ids: map[string]string{},
		effects: map[string]time.Time{}, inFlight: map[*life]map[string]string{},
	}
}

func (l *law) broken(i invariant, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breaks(i, format, args...)
}

// breaks is called with the lock.
func (l *law) breaks(i invariant, format string, args ...any) {
	v := violation{i, fmt.Sprintf(format, args...)}
	l.found = append(l.found, v)
	l.world.story.add("BROKEN %s: %s", v.invariant, v.what)
}

func (l *law) acknowledged(alerts []firing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range alerts {
		l.acked[a.key()] = true
	}
}

func (f firing) key() string { return f.fingerprint + " since " + f.starts.Format(time.RFC3339Nano) }

func (l *law) saw(trace string, g glance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps++
	l.glances[g.life.name+trace] = g
	l.world.story.add("%s sees for %s: %s", g.life.name, l.ids[trace], g.said.Diagnosis.Summary)
}

func (l *law) workloadOf(trace string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.files[l.ids[trace]]; f != nil {
		return f.workload
	}
	return ""
}

// saved looks at a record that has just been written.
func (l *law) saved(_ *life, c store.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps++
	in := c.Incident
	f := l.files[in.ID]
	if f == nil {
		f = &file{}
		l.files[in.ID] = f
		l.ids[in.TraceID] = in.ID
	}
	if f.state != "" && !f.state.Open() {
		l.breaks(itEnds, "incident %s had ended as %s, and is written as %s", in.ID, f.state, in.State)
	}
	if in.State == incident.Awaiting && f.state != in.State {
		l.world.asked(in)
	}
	f.workload, f.trace, f.state = in.Workload, in.TraceID, in.State
	if !in.State.Open() {
		l.endedRecord(in)
		l.world.handedOver(in)
	}
	if l.steps%50 == 0 || !in.State.Open() {
		l.readAudit(in.ID, f)
	}
}

// endedRecord must leave nothing half done.
func (l *law) endedRecord(in incident.Incident) {
	for _, a := range in.Actions {
		if a.FinishedAt == nil {
			l.breaks(nothingLeft, "incident %s has ended as %s, but its action %s has not", in.ID, in.State, a.Key)
		}
		if a.Changed() {
			l.breaks(nothingLeft, "incident %s has ended as %s, but the change of its action %s is %s", in.ID, in.State, a.Key, a.Undo.State)
		}
	}
}

// readAudit holds the audit of an incident against what it was.
func (l *law) readAudit(id string, f *file) {
	entries, err := l.world.kept.Audit(context.Background(), id)
	if err != nil {
		l.breaks(auditGrows, "the audit of %s cannot be read: %v", id, err)
		return
	}
	now := make([]string, len(entries))
	for i, e := range entries {
		now[i] = fmt.Sprintf("%d %s %s %s", e.Seq, e.At, e.Kind, e.Text)
	}
	for i, line := range f.audit {
		if i >= len(now) || now[i] != line {
			l.breaks(auditGrows, "line %d of the audit of %s was: %s", i+1, id, line)
			return
		}
	}
	f.audit = now
}

// intent finds the record of what is about to happen: the action of the incident that has not finished. Where two healers are at work,
// the other one may have finished it just now: then the precondition alone keeps its effect from happening twice.
func (l *law) intent(id, target string) (incident.Incident, incident.Action, bool) {
	in, err := l.world.kept.Get(context.Background(), id)
	if err != nil {
		return in, incident.Action{}, false
	}
	for _, a := range slices.Backward(in.Actions) {
		if a.Target == target && (a.FinishedAt == nil || l.world.plan.twins > 0) {
			return in, a, true
		}
	}
	return in, incident.Action{}, false
}

// works notes that an action is in flight.
func (l *law) works(at *life, workload, key string) {
	if l.inFlight[at] == nil {
		l.inFlight[at] = map[string]string{}
	}
	l.inFlight[at][workload] = key
	l.count(workload)
}

// rests notes that a remedy is done with a workload.
func (l *law) rests(at *life, workload string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.inFlight[at], workload)
}

// count looks how much is in flight. Of two healers at work on one incident, the faster one ends it and gives its lease back while
// the other one still watches what it had asked for: to count that needs an election, which is to come.
func (l *law) count(workload string) {
	if l.world.plan.twins > 0 {
		return
	}
	keys, workloads := map[string]bool{}, map[string]bool{}
	for other, busy := range l.inFlight {
		if !other.alive() {
			continue
		}
		for on, key := range busy {
			workloads[on] = true
			if on == workload {
				keys[key] = true
			}
		}
	}
	if len(keys) > 1 {
		l.breaks(withinLimits, "%d actions are in flight on %s: %s", len(keys), workload, strings.Join(sorted(keys), ", "))
	}
	if limit := l.world.plan.limits.InFlight; len(workloads) > limit {
		l.breaks(withinLimits, "actions are in flight on %s; the limit is %d", strings.Join(sorted(workloads), ", "), limit)
	}
}
