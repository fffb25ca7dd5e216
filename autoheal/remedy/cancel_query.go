package remedy

import (
	"context"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// CancelQueryName is the name of the remedy that cancels statements.
const CancelQueryName = "cancel-query"

// CancelQueries cancels the statements that the cause consists of. The sessions stay, and whoever asked gets an error.
type CancelQueries struct{ sessions Sessions }

// Name is cancel-query.
func (*CancelQueries) Name() string { return CancelQueryName }

// Traits of cancelling: the work of the statement is lost.
func (*CancelQueries) Traits() Traits { return Traits{Destructive: true} }

// Check refuses all parameters: there are none.
func (*CancelQueries) Check(params Params) (string, error) { return params.none() }

// Targets are the sessions of the diagnosis of which it is known since when they run their statement.
func (*CancelQueries) Targets(seen Sight, _ Params) ([]incident.Target, string) {
	var running []incident.Session
	for _, s := range seen.Diagnosis.Sessions {
		if !s.QueryStart.IsZero() {
			running = append(running, s)
		}
	}
	if len(running) == 0 && len(seen.Diagnosis.Sessions) > 0 {
		return nil, "no session of the diagnosis is known to run a statement"
	}
	seen.Diagnosis.Sessions = running
	return seen.sessions()
}

// Apply cancels the statements that still run, and waits until they have ended.
func (c *CancelQueries) Apply(ctx context.Context, a Application) Effect {
	return signalling{a, c.sessions, CancelQuery}.apply(ctx, a.Target.Sessions)
}
