package simulate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// request is one request on its way, and what will be wrong with it if it changes anything. Asking for what is so already harms
// nobody.
type request struct {
	key   string
	wrong []violation
	entry effect
}

func (r *request) complain(format string, args ...any) {
	r.wrong = append(r.wrong, violation{onlyKnown, fmt.Sprintf(format, args...)})
}

// asked looks at a request right before it leaves the healer.
func (l *law) asked(ctx context.Context, at *life, c change) *request {
	w := l.world
	w.lock.Lock()
	stopped := [2]time.Time{w.sinceWhen(switchOn), w.sinceWhen(paused)}
	w.lock.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps++
	d, marked := doingOf(ctx)
	if !marked {
		l.breaks(atMostOnce, "the %s is asked for outside of any remedy", c.what)
		return &request{}
	}
	if d.phase != "apply" {
		return &request{key: l.takenBack(d, c)}
	}
	trace := traceOf(ctx)
	in, action, recorded := l.intent(l.ids[trace], d.Target.Name)
	if !recorded {
		l.breaks(atMostOnce, "the %s is asked for, and no record says that it is about to happen", c.what)
		return &request{}
	}
	w.story.add("%s asks for the %s for %s", at.name, c.what, action.Key)
	r := &request{key: action.Key, entry: effect{action.Key, fmt.Sprintf("%s, rung %d, %s", in.ID, action.Rung, action.Remedy), at.now()}}
	l.known(r, in, at, trace)
	l.allowed(r, in, at, d.used.Traits().Destructive)
	for _, since := range stopped {
		if !since.IsZero() && since.Before(l.glances[at.name+trace].begun) {
			r.complain("%s acts by %s although people had stopped it before it looked", at.name, r.key)
		}
	}
	l.works(at, d.Target.Workload, action.Key)
	return r
}

// known holds an action against what was seen right before it.
func (l *law) known(r *request, in incident.Incident, at *life, trace string) {
	g, looked := l.glances[at.name+trace]
	switch {
	case !looked:
		r.complain("%s acts by %s without having looked", at.name, r.key)
	case time.Since(g.at) > moment:
		r.complain("%s acts by %s on evidence that is %s old", at.name, r.key, time.Since(g.at))
	case g.said.Diagnosis.Cause == incident.Inconclusive:
		r.complain("%s acts by %s on %s, but the evidence of that moment is inconclusive: %s", at.name, r.key, in.Diagnosis.Cause,
			g.said.Diagnosis.Summary)
	case g.said.Diagnosis.Cause != in.Diagnosis.Cause:
		r.complain("%s acts by %s on %s, but the evidence of that moment says %s", at.name, r.key, in.Diagnosis.Cause,
			g.said.Diagnosis.Cause)
	case g.unlisted:
		r.complain("%s acts by %s although the workloads could not be listed", at.name, r.key)
	}
}

// allowed holds an action against the autonomy, which the law can judge by itself.
func (l *law) allowed(r *request, in incident.Incident, at *life, destructive bool) {
	approved := in.Approval != nil && in.Approval.Answer == incident.Approved
	autonomy := l.world.plan.limits.Autonomy
	if autonomy == guard.Observe || autonomy == guard.Approve && destructive && !approved {
		r.complain("%s acts by %s although its autonomy is %s, and nobody has approved it", at.name, r.key, autonomy)
	}
}

// takenBack looks at a request that takes a change back or keeps it alive: its record must say so.
func (l *law) takenBack(d doing, c change) string {
	want := incident.Standing
	if d.phase == "undo" {
		want = incident.Undoing
	}
	in, err := l.world.kept.Get(context.Background(), d.IncidentID)
	for _, a := range in.Actions {
		if a.Undo != nil && a.Undo.Target.Name == d.Target.Name && a.Undo.Target.To == d.Target.To && (a.Undo.State == want || l.world.plan.twins > 0) {
			return a.Key + " " + d.phase
		}
	}
	l.breaks(atMostOnce, "the %s is asked for as an %s, and no record says that the change is %s (%v)", c.what, d.phase, want, err)
	return ""
}

// happened counts an effect on the world. It is called with the world's lock.
func (l *law) happened(r *request, c change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps++
	l.found = append(l.found, r.wrong...)
	for _, v := range r.wrong {
		l.world.story.add("BROKEN %s: %s", v.invariant, v.what)
	}
	before := l.effects[r.key]
	l.effects[r.key] = time.Now()
	if r.entry.key == "" { // it was taken back, or kept alive
		return
	}
	l.world.applied.add(r.entry.action[strings.LastIndex(r.entry.action, " ")+1:])
	// A change that has lapsed may be made again: a healer that died may have let it lapse.
	if !before.IsZero() && !l.world.lapsed[c.subject].After(before) {
		l.breaks(atMostOnce, "the action %s has had an effect before the %s", r.key, c.what)
	}
	l.acted = append(l.acted, r.entry)
	l.perHour(r)
}

// perHour counts the actions of an hour by the clock of whoever asked. What a healer that died in between has begun, and the next
// one found without any effect, counts for nothing.
func (l *law) perHour(r *request) {
	limit := l.world.plan.limits.PerHour
	recorded, err := l.world.kept.Effects(context.Background(), time.Time{})
	if err != nil || l.world.plan.twins > 0 { // two healers may count at the same moment
		return
	}
	skipped := map[string]bool{}
	for _, e := range recorded {
		skipped[e.Key] = e.Result == incident.ResultSkipped
	}
	actions := map[string]bool{}
	for _, e := range l.acted {
		if r.entry.at.Sub(e.at) < time.Hour && !skipped[e.key] {
			actions[e.action] = true
		}
	}
	if len(actions) > limit {
		l.breaks(withinLimits, "%s is the %d. action within an hour; the limit is %d", r.key, len(actions), limit)
	}
}

// ended says whether every incident has ended and every alert has one, and looks at the end once.
func (l *law) ended() bool {
	ctx := context.Background()
	open, err := l.world.kept.Open(ctx)
	waiting, errs := l.world.kept.Waiting(ctx, 1)
	l.world.lock.Lock()
	defer l.world.lock.Unlock()
	sending := l.world.sending
	if err != nil || errs != nil || len(open) > 0 || len(waiting) > 0 || sending > 0 || l.world.lapsing() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.atTheEnd(ctx)
	l.done = true
	return true
}

// late is the bound by which all must have ended.
func (l *law) late() {
	if l.over() || l.ended() {
		return
	}
	open, _ := l.world.kept.Open(context.Background()) // what cannot be read is not named
	for _, in := range open {
		l.broken(itEnds, "incident %s has not ended %s after the adversary: it is %s: %s", in.ID, l.world.plan.rest, in.State, in.Reason)
	}
	waiting, _ := l.world.kept.Waiting(context.Background(), 1000)
	if len(waiting) > 0 {
		l.broken(nothingLost, "%d alerts still wait for an incident", len(waiting))
	}
	l.world.lock.Lock()
	defer l.world.lock.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.atTheEnd(context.Background())
	l.done = true
}

func (l *law) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done || len(l.found) > 0
}

// atTheEnd looks at all that there is.
func (l *law) atTheEnd(ctx context.Context) {
	all, err := l.world.kept.List(ctx, time.Time{})
	if err != nil {
		l.breaks(nothingLost, "the incidents cannot be read: %v", err)
		return
	}
	owned := map[string]bool{}
	for _, in := range all {
		for _, a := range in.Alerts {
			owned[firing{fingerprint: a.Fingerprint, starts: a.StartsAt}.key()] = true
		}
	}
	for _, key := range sorted(l.acked) {
		if !owned[key] {
			l.breaks(nothingLost, "the alert %s was acknowledged, and belongs to no incident", key)
		}
	}
	if l.world.plan.twins == 0 { // what two healers do to one another needs an election
		l.standing(all)
	}
	for _, id := range slices.Sorted(maps.Keys(l.files)) {
		f := l.files[id]
		l.readAudit(id, f)
		if f.state.Open() {
			l.breaks(itEnds, "incident %s is still %s, and nobody lists it as open", id, f.state)
		}
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
