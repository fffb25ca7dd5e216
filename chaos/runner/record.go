package runner

import (
	"errors"
	"time"

	"github.com/faultline-lab/faultline/chaos/fault"
)

// RecordFolder is the name of the folder of records, beside the stack's own file: one file for each active experiment.
const RecordFolder = "chaos"

// ErrNothingActive says that no such experiment is on record.
var ErrNothingActive = errors.New("no experiment is active")

// ErrActive says that an experiment on record keeps this one from starting: two faults at once tell nothing about either,
// unless that is what is wanted.
var ErrActive = errors.New("another experiment is active")

// Record is what is known about an active experiment, kept in a file so that it outlives the process that injected.
// It is written before the injection: whatever dies when, the fault can be found and taken away.
type Record struct {
	Experiment string `json:"experiment"`
	ID         string `json:"id"`
	Fault      string `json:"fault"`
	Workload   string `json:"workload"` // of the scope
	Seed       int64  `json:"seed"`
	PID        int    `json:"pid"` // of the process that injected
	// StackStartedAt tells the stack that has the fault from a later one, which cannot have it.
	StackStartedAt time.Time `json:"stack_started_at"`
	// InjectedAt is in the future while Injected is false.
	InjectedAt time.Time `json:"injected_at"`
	Injected   bool      `json:"injected"`
	// ExpiresAt is when the observation window is over. GoneBy is when the fault's time to live is: then its keeper takes it
	// away, whatever has become of the process that injected.
	ExpiresAt time.Time `json:"expires_at"`
	GoneBy    time.Time `json:"gone_by"`
	Kept      bool      `json:"kept"`     // the window was over and the fault was left where it is
	Stopping  bool      `json:"stopping"` // somebody takes the fault away; whoever carries it lets go

	Affected    []string    `json:"affected"` // the replicas that were hit
	DriverState fault.State `json:"driver_state"`
	// TraceParent is the experiment's trace, so that whoever takes the fault away goes on with it.
	TraceParent string `json:"traceparent,omitempty"`
	// File and Definition are the experiment's file as it was, so that taking the fault away needs nothing else.
	File       string `json:"file"`
	Definition string `json:"definition"`
}
