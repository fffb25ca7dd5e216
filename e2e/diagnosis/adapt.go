package diagnosis

import (
	"fmt"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/signature"
)

// Facts makes the healer's facts of a recorded look; before is the baseline of its recording. Facts that both know have the same
// names; what only the healer knows is derived.
func Facts(before, look signature.Look) evidence.Facts {
	a := adapter{before: before, look: look}
	for _, f := range look.Facts {
		a.facts = append(a.facts, incident.Fact{
			Name: f.Name, Source: f.Source, Subject: f.Subject, Query: f.Query, Status: incident.FactStatus(f.Status), Value: f.Value,
			Unit: f.Unit, Detail: f.Detail, At: f.At,
		})
	}
	a.releases()
	a.replicas()
	a.arrivals()
	a.idleness()
	a.statements()
	a.locks()
	a.strangers()
	return a.facts
}

// adapter adds what a recording lacks.
type adapter struct {
	before, look signature.Look
	facts        evidence.Facts
}

func (a *adapter) known(name, source, subject string, value float64, detail string, session *incident.Session) {
	at := a.look.Facts[0].At
	a.facts = append(a.facts, incident.Fact{
		Name: name, Source: source, Subject: subject, Query: "derived from the recording", Status: incident.Known, Value: value, Unit: "1",
		Detail: detail, Session: session, At: at,
	})
}

// of gives the known recorded facts of a name.
func (a *adapter) of(name string) []signature.Fact {
	var found []signature.Fact
	for _, f := range a.look.Facts {
		if f.Name == name && f.Status == signature.Known {
			found = append(found, f)
		}
	}
	return found
}

// releases gives the age of a release its threshold, the default window. Only orders' were recorded; inventory was never released.
// The recording asked Prometheus alone, which learns of a new version some seconds late; the healer takes the replica's start
// when its version is another than before.
func (a *adapter) releases() {
	versions, ages := map[string]string{}, map[string]float64{}
	for _, f := range a.before.Facts {
		if f.Name == signature.ReplicaVersion {
			versions[f.Subject] = f.Detail
		}
	}
	for _, f := range a.of(signature.ReplicaAge) {
		if f.Detail != versions[f.Subject] {
			ages[f.Subject] = f.Value
		}
	}
	for i, f := range a.facts {
		age, isNew := ages[f.Subject]
		switch {
		case f.Name == evidence.ReleaseAge:
			a.facts[i].Threshold = evidence.DefaultReleaseWindow.Seconds()
			if isNew {
				a.facts[i].Value = age
			}
		case f.Name == evidence.ReleaseLead && isNew && f.Value == 0:
			a.facts[i].Value = a.served(f.Subject) - age
		}
	}
}

// served is how long Prometheus had known the version that a replica ran before.
func (a *adapter) served(replica string) float64 {
	for _, f := range a.of(signature.ReleaseAge) {
		if f.Subject == replica {
			return f.Value
		}
	}
	return 0
}

// replicas says whose replica each is, which locally is the first part of its name, and its version, which was recorded in
// the detail.
func (a *adapter) replicas() {
	for i, f := range a.facts {
		if f.Name != evidence.ReplicaVersion {
			continue
		}
		workload, _, _ := strings.Cut(f.Subject, "-")
		_, a.facts[i].Detail, _ = strings.Cut(f.Detail, "version ")
		a.known(evidence.ReplicaWorkload, evidence.Workloads, f.Subject, 1, workload, nil)
	}
}

// arrivals divides: the recording has the rate and its ratio to the one before.
func (a *adapter) arrivals() {
	for _, ratio := range a.of(signature.EdgeArrivalRatio) {
		for _, rate := range a.of(signature.EdgeArrivalRate) {
			a.known(evidence.EdgeArrivalBefore, evidence.Prometheus, ratio.Subject, rate.Value/ratio.Value, "rate by ratio", nil)
		}
	}
}

// idleness gives the youngest idle session an age: that of a long hold where all idle sessions are idle for that long, and none
// where one is not. The last release was within the window where there was one, and that is all that is known.
func (a *adapter) idleness() {
	long := map[string]float64{}
	for _, f := range a.of(signature.SessionsIdleLong) {
		long[f.Subject] = f.Value
	}
	for _, f := range a.of(signature.SessionsIdle) {
		if f.Value > 0 {
			youngest := 0.0
			if long[f.Subject] == f.Value {
				youngest = signature.LongestHold
			}
			a.known(evidence.SessionsIdleYoungest, evidence.Postgres, f.Subject, youngest, "at least", nil)
		}
	}
	for _, f := range a.of(signature.PoolReleases) {
		if f.Value > 0 {
			a.known(evidence.PoolLastReleaseAge, evidence.Prometheus, f.Subject, 0, "within the window", nil)
		}
	}
}

// session identifies one, with a pid and times made up of a number.
func (a *adapter) session(n int, application, statement string) *incident.Session {
	at := a.look.Facts[0].At.Add(-time.Hour)
	return &incident.Session{PID: 1000 + n, BackendStart: at, QueryStart: at, Application: application, Statement: statement}
}

// statements makes one session of each long statement, of an age that is just long. Of active ones that are not long the
// oldest has half of that.
func (a *adapter) statements() {
	n := 0
	for _, f := range a.of(signature.SessionsActiveLong) {
		for range int(f.Value) {
			n++
			workload, _, _ := strings.Cut(f.Subject, "-")
			application := workload + "/" + f.Subject
			a.known(evidence.LongQuery, evidence.Postgres, application, signature.LongestHold, "", a.session(n, application, ""))
		}
		a.known(evidence.SessionsActiveOldest, evidence.Postgres, f.Subject, signature.LongestHold/2*min(2, 1+f.Value), "", nil)
	}
}

// locks makes one session of the oldest root, whose name and statement were recorded in words; who waits for a lock waits for it.
func (a *adapter) locks() {
	oldest := 0.0
	for _, name := range []string{signature.SessionsOldestTransaction, signature.LockRootOldest} {
		for _, f := range a.of(name) {
			oldest = max(oldest, f.Value)
		}
	}
	a.known(evidence.TransactionOldest, evidence.Postgres, "server", oldest, "of workloads and roots", nil)
	for _, root := range a.of(signature.LockRootOldest) {
		if root.Detail == "" {
			continue
		}
		application, detail, _ := strings.Cut(root.Detail, ", ")
		session := a.session(100, application, detail)
		a.known(evidence.LockRoot, evidence.Postgres, application, root.Value, detail, session)
		waiting := map[string]float64{}
		for _, f := range a.of(signature.SessionsLockWait) {
			workload, _, _ := strings.Cut(f.Subject, "-")
			waiting[workload] += f.Value
		}
		for workload, n := range waiting {
			if n > 0 {
				a.known(evidence.LockWaiters, evidence.Postgres, workload, n, "", session)
			}
		}
	}
}

// strangers makes the sessions of each application that is no workload, which were only counted.
func (a *adapter) strangers() {
	n := 200
	for _, f := range a.of(signature.ApplicationSessions) {
		switch strings.TrimSuffix(f.Subject, "-probe") {
		case "orders", "inventory", "payments", "storefront", "autoheal":
			continue
		}
		for range int(f.Value) {
			n++
			application := fmt.Sprintf("%s/recorded", f.Subject)
			a.known(evidence.ForeignSession, evidence.Postgres, application, 1, "", a.session(n, application, ""))
		}
	}
}
