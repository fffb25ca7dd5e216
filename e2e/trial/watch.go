package trial

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/sli"
	"github.com/faultline-lab/faultline/e2e/record"
)

// lookInterval is how often alerts and healer are looked at.
const lookInterval = 100 * time.Millisecond

// watched is what the observers of one trial have seen so far.
type watched struct {
	mu        sync.Mutex
	alerts    alertTimes
	incidents []incident.Incident // newest first
	group     sync.WaitGroup
}

// alertTimes are those of the expected alert.
type alertTimes struct {
	pending, firing, resolved *time.Time
	// fired names every alert that did, the expected one or not, sorted.
	fired []string
}

// fires notes the name of an alert.
func (a *alertTimes) fires(name string) {
	if at, known := slices.BinarySearch(a.fired, name); !known {
		a.fired = slices.Insert(a.fired, at, name)
	}
}

func (w *watched) wait() { w.group.Wait() }

func (w *watched) snapshot() (alertTimes, []incident.Incident) {
	w.mu.Lock()
	defer w.mu.Unlock()
	alerts := w.alerts
	alerts.fired = slices.Clone(alerts.fired)
	return alerts, slices.Clone(w.incidents)
}

// watch follows the client, the alerts and the healer until ctx ends. Each observer reads its source directly; none of
// them can disturb another.
func (t *trial) watch(ctx context.Context) *watched {
	w := &watched{}
	since := time.Now().Truncate(time.Second)
	w.group.Go(func() { t.watchClient(ctx, since) })
	w.group.Go(func() { t.watchAlerts(ctx, w) })
	if arms[t.cfg.Arm].healers > 0 {
		w.group.Go(func() { t.watchHealer(ctx, w, since) })
	}
	return w
}

// watchClient collects the client's seconds; a broken stream is taken up where it ended.
func (t *trial) watchClient(ctx context.Context, since time.Time) {
	for ctx.Err() == nil {
		err := sli.Follow(ctx, t.stack.Endpoints.Loadgen, since, func(second sli.Second) error {
			since = second.Second.Add(time.Second)
			t.second(second)
			return nil
		})
		if ctx.Err() == nil {
			t.tell(Note, time.Now(), "the client's stream broke off and is taken up again: %v", err)
		}
		_ = pause(ctx, lookInterval)
	}
}

func (t *trial) second(second sli.Second) {
	counted := second.Sent - second.Excluded
	seen := record.Second{
		Start: second.Second, Counted: counted, Good: second.Good, Accepted: second.Accepted, OK: second.OK,
		Mitigated: counted > 0 && float64(second.Good+second.Accepted) >= 0.95*float64(counted),
	}
	t.seconds.add(seen)
	t.events <- Event{At: second.Second, Kind: Tick, Second: &seen}
}

// watchAlerts notes when the expected alert became pending, fired and ended. Prometheus says itself when an alert
// became active; its end is the first look that no longer finds it.
func (t *trial) watchAlerts(ctx context.Context, w *watched) {
	name := t.cfg.Experiment.Expect.Alert
	told, waited := map[string]bool{}, map[string]bool{}
	for ; ctx.Err() == nil; _ = pause(ctx, lookInterval) {
		alerts, err := t.pages(ctx)
		if err != nil {
			continue // no answer says nothing about the alert
		}
		now := time.Now().UTC()
		present := false
		for _, alert := range alerts {
			key := alert.Labels["alertname"] + "/" + alert.Labels["instance"]
			// Without a "for" an alert fires in the evaluation that finds it; with one it is seen to wait before.
			waited[key] = waited[key] || alert.State == "pending"
			fired := alert.ActiveAt.UTC()
			if waited[key] {
				fired = now
			}
			if alert.State == "firing" && !told[key] {
				told[key] = true
				w.mu.Lock()
				w.alerts.fires(alert.Labels["alertname"])
				w.mu.Unlock()
				t.tell(Alert, fired, "%s fires: %s", alert.Labels["alertname"], alert.Annotations["summary"])
			}
			if alert.Labels["alertname"] == name {
				present = true
				w.mu.Lock()
				w.alerts.pending = earliest(w.alerts.pending, alert.ActiveAt)
				if alert.State == "firing" {
					w.alerts.firing = earliest(w.alerts.firing, fired)
				}
				w.alerts.resolved = nil
				w.mu.Unlock()
			}
		}
		w.mu.Lock()
		ended := !present && w.alerts.firing != nil && w.alerts.resolved == nil
		if ended {
			w.alerts.resolved = &now
		}
		w.mu.Unlock()
		if ended {
			t.tell(Resolved, now, "%s has ended", name)
		}
	}
}

func earliest(known *time.Time, at time.Time) *time.Time {
	at = at.UTC()
	if known == nil || at.Before(*known) {
		return &at
	}
	return known
}

// watchHealer reads the healer's incidents and tells each new thing that it did.
func (t *trial) watchHealer(ctx context.Context, w *watched, since time.Time) {
	client := healerClient{t.stack.Endpoints.Autoheal, &http.Client{Timeout: 2 * time.Second}}
	news := healerNews{}
	for ; ctx.Err() == nil; _ = pause(ctx, lookInterval) {
		incidents, err := client.incidents(ctx, since)
		if err != nil {
			continue
		}
		w.mu.Lock()
		w.incidents = incidents
		w.mu.Unlock()
		for _, event := range news.of(incidents, time.Now()) {
			t.events <- event
		}
	}
}

// healerNews remembers what has been told of the healer's incidents.
type healerNews map[string]bool

// of gives what is new in the incidents, newest of which comes first, in the order in which it happened.
func (told healerNews) of(incidents []incident.Incident, now time.Time) []Event {
	var news []Event
	for _, in := range slices.Backward(incidents) {
		for _, event := range healerEvents(in) {
			if told[in.ID+event.Text] {
				continue
			}
			if strings.HasPrefix(event.Text, diagnosisPrefix) {
				if told[in.ID+diagnosisPrefix] {
					event.At = now // the record keeps the time of the first diagnosis only
				}
				told[in.ID+diagnosisPrefix] = true
			}
			told[in.ID+event.Text] = true
			news = append(news, event)
		}
	}
	return news
}

// healerEvents puts one incident's record into sentences, in the order in which things happened.
func healerEvents(in incident.Incident) []Event {
	var events []Event
	say := func(at *time.Time, format string, args ...any) {
		if at != nil {
			events = append(events, Event{At: *at, Kind: Healer, Text: fmt.Sprintf(format, args...)})
		}
	}
	say(in.Stages.WebhookReceived, "incident %s: the alert is on disk, evidence is being gathered", in.ID)
	say(in.Stages.Diagnosed, "%s", diagnosis(in))
	for _, action := range in.Actions {
		say(&action.StartedAt, "%s %s", action.Remedy, action.Target)
		if action.FinishedAt != nil {
			say(action.FinishedAt, "%s %s: %s after %.2f s", action.Remedy, action.Target, action.Result,
				action.FinishedAt.Sub(action.StartedAt).Seconds())
		}
	}
	say(in.Stages.Verified, "proved at the edge: %d good readings running", in.Verification.Required)
	if in.Stages.Ended != nil {
		say(in.Stages.Ended, "incident %s %s: %s", in.ID, in.State, in.Reason)
	}
	return events
}

// diagnosisPrefix begins what is told of a diagnosis that names a cause.
const diagnosisPrefix = "diagnosis: "

// diagnosis is what the healer made of its evidence, with the facts of the first replica that shows it.
func diagnosis(in incident.Incident) string {
	d := in.Diagnosis
	switch {
	case d.Cause == incident.Inconclusive && in.State.Open():
		return "inconclusive so far: looking again before touching anything"
	case d.Cause == incident.Inconclusive:
		return d.Summary
	}
	for _, candidate := range d.Ranked {
		if candidate.Cause == d.Cause && len(candidate.For) > 0 {
			return diagnosisPrefix + d.Summary + "\n" + strings.ReplaceAll(candidate.For[0], "; ", "\n  ")
		}
	}
	return diagnosisPrefix + d.Summary
}
