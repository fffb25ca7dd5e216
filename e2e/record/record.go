package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Record is one trial: an experiment, run once, under one arm. The format is a contract (DESIGN: "The study");
// null means that it did not happen, or does not apply.
type Record struct {
	Experiment string    `json:"experiment"`
	Arm        string    `json:"arm"`
	Target     string    `json:"target"`
	Seed       int64     `json:"seed"`
	StartedAt  time.Time `json:"started_at"`

	Stages Stages `json:"stages"`

	// MTTD is first bad second -> alert firing; MTTR is first bad second -> first of RecoveryRun good seconds
	// running; MTTRInjected counts from the injection; Mitigated is MTTR with 202 counted as good. In seconds.
	MTTD         *float64 `json:"mttd_s"`
	MTTR         *float64 `json:"mttr_s"`
	MTTRInjected *float64 `json:"mttr_injected_s"`
	Mitigated    *float64 `json:"mitigated_s"`
	// Prevented means that the fault was healed before the client saw a bad second: its MTTR is 0.
	Prevented bool `json:"prevented,omitempty"`
	// Recovered is null for a control, which has nothing to recover from, and for an unknown fault, which only a person mends.
	Recovered *bool `json:"recovered"`

	CauseExpected  string `json:"cause_expected"`
	CauseDiagnosed string `json:"cause_diagnosed"`
	// Outcome is what the healer's first incident ended as, empty while it has not (recovered, handed-over ...).
	Outcome string   `json:"outcome,omitempty"`
	Actions []Action `json:"actions"`
	// WrongAction says that something was done that the experiment does not list as right, or to whom the fault had not
	// touched. What was taken back afterwards was done all the same.
	WrongAction       bool  `json:"wrong_action"`
	FaultStillPresent *bool `json:"fault_still_present"`

	// Requests and Failed count checkouts from the injection to the end of the trial, business refusals left out;
	// slow ones count as failed.
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	// BudgetSpent is the part of a 30-day error budget that Failed used up, at the trial's own request rate.
	BudgetSpent float64 `json:"budget_spent"`

	// Aftermath is what became of changes that stand for as long as the fault lasts; null where none did.
	Aftermath *Aftermath `json:"aftermath,omitempty"`

	IncidentID string   `json:"incident_id,omitempty"`
	Alerts     []string `json:"alerts,omitempty"`   // names of all that fired, expected or not
	Affected   []string `json:"affected,omitempty"` // what the fault did touch: replicas, a workload, or sessions by their application name
	Notes      []string `json:"notes,omitempty"`
}

// Action is one effect of whoever answered the alert, as his own record tells it.
type Action struct {
	Remedy    string    `json:"remedy"`
	Kind      string    `json:"kind,omitempty"` // replica, workload, sessions, edge
	Target    string    `json:"target"`
	StartedAt time.Time `json:"started_at"`
	Result    string    `json:"result"`
	// Change is what has become of what the action changed (standing, undone, kept ...); empty where it left nothing.
	Change string `json:"change,omitempty"`
}

// looks are the remedies that change nothing: using them is doing nothing.
var looks = []string{"health-check", "none"}

// Done says whether the action did anything to the world, or tried to: what was skipped did not, what failed may have, and
// what was taken back since did.
func (a Action) Done() bool { return a.Result != "skipped" && !slices.Contains(looks, a.Remedy) }

// Aftermath follows a fault that was met with a change that lasts as long as it: the fault is taken away, and the change
// must go by itself. Nothing of it counts for recovery or mitigation.
type Aftermath struct {
	FaultRemoved time.Time `json:"fault_removed"`
	// Undone is when the last change had been taken back, Ended when the last incident was; null where that did not come.
	Undone *time.Time `json:"undone"`
	Ended  *time.Time `json:"ended"`
	// Recovered is the first of RecoveryRun good seconds running after the fault was taken away.
	Recovered *time.Time `json:"recovered"`
	Requests  int        `json:"requests"`
	Failed    int        `json:"failed"`
	// Changes counts the changes that were made in the whole trial: more than one of a remedy is flapping.
	Changes int `json:"changes"`
}

// Stages are the times of one trial, from injection to the alert's end. The SLI's are beginnings of client seconds.
type Stages struct {
	Injected        *time.Time `json:"injected"`
	FirstBad        *time.Time `json:"first_bad"`
	AlertPending    *time.Time `json:"alert_pending"`
	AlertFiring     *time.Time `json:"alert_firing"`
	WebhookReceived *time.Time `json:"webhook_received"`
	Diagnosed       *time.Time `json:"diagnosed"`
	Decided         *time.Time `json:"decided"`
	ActionStarted   *time.Time `json:"action_started"`
	ActionFinished  *time.Time `json:"action_finished"`
	SLIMitigated    *time.Time `json:"sli_mitigated"`
	SLIRecovered    *time.Time `json:"sli_recovered"`
	Verified        *time.Time `json:"verified"`
	AlertResolved   *time.Time `json:"alert_resolved"`
}

// secondQuantum is the grain of the client's clock: a good second may begin up to this long before the event that
// made it good.
const secondQuantum = time.Second

// stage is one stage's name and time; slack is how much earlier than its cause it may seem to lie.
type stage struct {
	name  string
	at    *time.Time
	slack time.Duration
}

// OutOfOrder names the first pair of stages that contradicts cause and effect, or is empty. The chain runs from the
// injection to the proof; the client's recovery hangs on the start of the action, not on its end, because half of
// the replicas may serve well while the other half is still being mended; and the alert may resolve at any time. What was
// only mitigated is proved by that: its recovery follows when the fault has passed.
func (s Stages) OutOfOrder() string {
	chain := []stage{
		{"injected", s.Injected, 0},
		{"first_bad", s.FirstBad, 0},
		{"alert_pending", s.AlertPending, 0},
		{"alert_firing", s.AlertFiring, 0},
		{"webhook_received", s.WebhookReceived, 0},
		{"diagnosed", s.Diagnosed, 0},
		{"decided", s.Decided, 0},
		{"action_started", s.ActionStarted, 0},
	}
	proof := stage{"verified", s.Verified, 0}
	healer := append(slices.Clone(chain), stage{"action_finished", s.ActionFinished, 0}, proof)
	client := append(slices.Clone(chain), stage{"sli_mitigated", s.SLIMitigated, secondQuantum})
	recovered := append(slices.Clone(client), stage{"sli_recovered", s.SLIRecovered, secondQuantum})
	if s.SLIMitigated != nil && s.SLIRecovered != nil && s.SLIRecovered.Equal(*s.SLIMitigated) {
		recovered = append(recovered, proof)
	}
	return cmp.Or(firstInversion(healer), firstInversion(append(client, proof)), firstInversion(recovered))
}

func firstInversion(chain []stage) string {
	var before stage
	for _, next := range chain {
		if next.at == nil {
			continue
		}
		if before.at != nil && next.at.Add(next.slack).Before(*before.at) {
			return fmt.Sprintf("%s (%s) before %s (%s)", next.name, next.at.Format(time.RFC3339Nano),
				before.name, before.at.Format(time.RFC3339Nano))
		}
		before = next
	}
	return ""
}

// Save writes the record as indented JSON, replacing the file in one step.
func (r Record) Save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// Load reads a record that Save wrote.
func Load(path string) (Record, error) {
	var r Record
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
