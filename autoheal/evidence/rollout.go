package evidence

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// DefaultReleaseWindow is how long a release is evidence of a rollout where nobody says otherwise.
const DefaultReleaseWindow = 5 * time.Minute

// releasePoints is how finely the past of the releases is asked for at least.
const releasePoints = 300

// releaseQuestion asks when each replica was up, with which version. The past is asked for in steps: a window may be long.
func (c *PrometheusCollector) releaseQuestion(scope Scope) question {
	past := max(c.cfg.ReleaseWindow, 10*c.cfg.Interval)
	step := max(c.cfg.Interval, (past / releasePoints).Round(time.Second))
	return question{
		fact:     ReleaseAge,
		selector: fmt.Sprintf(`up{%s}[%s:%s]`, jobs(scope.Workloads), model.Duration(past), model.Duration(step)),
		read: func(q question, series []Series, now time.Time) []incident.Fact {
			return c.rollouts(q, series, now, scope.live)
		},
	}
}

// version is one version of one workload.
type version struct{ job, version string }

// history is when versions were first seen, and the versions that replicas run.
type history struct {
	first map[version]time.Time
	runs  map[string]version // by replica
}

// rollouts reads since when each replica's version has been seen, and how much longer ago the oldest one of its workload was.
func (c *PrometheusCollector) rollouts(q question, series []Series, now time.Time, live roll) []incident.Fact {
	h := past(series)
	if live != nil {
		all, err := live()
		if err != nil {
			return []incident.Fact{unknown(Prometheus, ReleaseAge, Prometheus, q.selector, "which versions run is unknown: "+err.Error(), now)}
		}
		h.present(all)
	}
	var facts []incident.Fact
	for replica, runs := range h.runs {
		first, oldest := h.first[runs], h.first[runs]
		for other, seen := range h.first {
			if other.job == runs.job && seen.Before(oldest) {
				oldest = seen
			}
		}
		fact := func(name string, value, threshold float64) incident.Fact {
			return incident.Fact{
				Name: name, Source: Prometheus, Subject: replica, Query: q.selector, Status: incident.Known, Value: value, Unit: "s",
				Threshold: threshold, Detail: fmt.Sprintf("version %s of %s", runs.version, runs.job), At: now,
			}
		}
		facts = append(facts,
			fact(ReleaseAge, now.Sub(first).Seconds(), c.cfg.ReleaseWindow.Seconds()), fact(ReleaseLead, first.Sub(oldest).Seconds(), 0))
	}
	return facts
}

// past is what Prometheus has seen. Each replica has the version of its newest sample.
func past(series []Series) history {
	h := history{map[version]time.Time{}, map[string]version{}}
	newest := map[string]time.Time{}
	for _, s := range series {
		last, ok := s.last()
		if !ok {
			continue
		}
		of, replica := version{s.Labels["job"], s.Labels["version"]}, s.Labels["instance"]
		h.see(of, s.Samples[0].At)
		if last.At.After(newest[replica]) {
			newest[replica], h.runs[replica] = last.At, of
		}
	}
	return h
}

func (h history) see(of version, at time.Time) {
	if first, known := h.first[of]; !known || at.Before(first) {
		h.first[of] = at
	}
}

// present corrects the past by those that run now. Prometheus learns of a new version only when it looks for its targets again,
// which is some seconds later, and until then gives the samples of the new one the name of the old.
func (h history) present(all []workload.Workload) {
	for _, w := range all {
		for _, r := range w.Replicas {
			if _, scraped := h.runs[r.ID]; !scraped || r.StartedAt.IsZero() {
				continue
			}
			h.runs[r.ID] = version{w.Name, r.Version}
			h.see(h.runs[r.ID], r.StartedAt)
		}
	}
}
