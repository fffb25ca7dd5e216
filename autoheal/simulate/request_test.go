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

// asked looks at a request right before it leaves the healer, and returns the key of the action that it is a part of.
func (l *law) asked(ctx context.Context, at *life, c change) string {
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
		return ""
	}
	trace := traceOf(ctx)
	if d.phase != "apply" {
		return l.takenBack(d, c)
	}
	in, action, recorded := l.intent(l.ids[trace], c.subject)
	if !recorded {
		l.breaks(atMostOnce, "the %s is asked for, and no record says that it is about to happen", c.what)
		return ""
	}
	w.story.add("%s asks for the %s for %s", at.name, c.what, action.Key)
	l.known(in, action, at, trace)
	for _, since := range stopped {
		if !since.IsZero() && since.Before(l.glances[at.name+trace].begun) {
			l.breaks(onlyKnown, "%s acts by %s although people had stopped it before it looked", at.name, action.Key)
		}
	}
	l.allowed(in, action, at, d.used.Traits().Destructive)
	l.works(at, c.workload, action.Key)
	return action.Key
}

// known holds an action against what was seen right before it.
func (l *law) known(in incident.Incident, a incident.Action, at *life, trace string) {
	g, looked := l.glances[at.name+trace]
	switch {
	case !looked:
		l.breaks(onlyKnown, "%s acts by %s without having looked", at.name, a.Key)
	case time.Since(g.at) > moment:
		l.breaks(onlyKnown, "%s acts by %s on evidence that is %s old", at.name, a.Key, time.Since(g.at))
	case g.said.Diagnosis.Cause == incident.Inconclusive:
		l.breaks(onlyKnown, "%s acts by %s on %s, but the evidence of that moment is inconclusive: %s", at.name, a.Key, in.Diagnosis.Cause,
			g.said.Diagnosis.Summary)
	case g.said.Diagnosis.Cause != in.Diagnosis.Cause:
		l.breaks(onlyKnown, "%s acts by %s on %s, but the evidence of that moment says %s", at.name, a.Key, in.Diagnosis.Cause,
			g.said.Diagnosis.Cause)
	case g.unlisted:
		l.breaks(onlyKnown, "%s acts by %s although the workloads could not be listed", at.name, a.Key)
	}
}

// allowed holds an action against the guards that the law can judge by itself.
func (l *law) allowed(in incident.Incident, a incident.Action, at *life, destructive bool) {
	w := l.world
	approved := in.Approval != nil && in.Approval.Answer == incident.Approved
	if autonomy := w.plan.limits.Autonomy; autonomy == guard.Observe || autonomy == guard.Approve && destructive && !approved {
		l.breaks(onlyKnown, "%s acts by %s although its autonomy is %s, and nobody has approved it", at.name, a.Key, autonomy)
	}
	now := at.now()
	l.asked_ = append(l.asked_, effect{fmt.Sprintf("%s, rung %d, %s", in.ID, a.Rung, a.Remedy), now})
	actions := map[string]bool{}
	for _, e := range l.asked_ {
		if now.Sub(e.at) < time.Hour {
			actions[e.action] = true
		}
	}
	if limit := w.plan.limits.PerHour; len(actions) > limit {
		l.breaks(withinLimits, "%s is the %d. action within an hour; the limit is %d", a.Key, len(actions), limit)
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

// happened counts an effect on the world.
func (l *law) happened(key string, c change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps++
	l.effects[key]++
	if n := l.effects[key]; n > 1 && !strings.HasSuffix(key, " undo") && !strings.HasSuffix(key, " renew") {
		l.breaks(atMostOnce, "the action %s has had %d effects; the last is the %s", key, n, c.what)
	}
}

// ended says whether every incident has ended and every alert has one, and looks at the end once.
func (l *law) ended() bool {
	ctx := context.Background()
	open, err := l.world.kept.Open(ctx)
	waiting, errs := l.world.kept.Waiting(ctx)
	l.world.lock.Lock()
	defer l.world.lock.Unlock()
	sending := l.world.sending
	if err != nil || errs != nil || len(open) > 0 || len(waiting) > 0 || sending > 0 {
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
	waiting, _ := l.world.kept.Waiting(context.Background())
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
	return l.done || len(l.broken_) > 0
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
	l.standing(all)
	for _, id := range slices.Sorted(maps.Keys(l.files)) {
		f := l.files[id]
		l.readAudit(id, f)
		if f.state.Open() {
			l.breaks(itEnds, "incident %s is still %s, and nobody lists it as open", id, f.state)
		}
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
