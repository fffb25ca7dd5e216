package trial

import (
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
)

// Kind tells a listener what an event is about.
type Kind string

// The kinds of event, roughly in the order of a trial.
const (
	Preparing Kind = "preparing" // arm, steady state
	Steady    Kind = "steady"
	Injected  Kind = "injected"
	ClientBad Kind = "client-bad"
	Alert     Kind = "alert"
	Healer    Kind = "healer"
	Recovered Kind = "recovered"
	Resolved  Kind = "resolved"
	Restoring Kind = "restoring"
	Tick      Kind = "tick" // one finished second of the client
	Note      Kind = "note"
)

// Event is one thing that happened, for whoever tells the story.
type Event struct {
	At     time.Time
	Kind   Kind
	Text   string
	Second *record.Second // with Tick
}
