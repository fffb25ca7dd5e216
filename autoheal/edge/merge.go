package edge

import "time"

// merged is what several replicas agree on. Queues, admitted rates add up; of times the first counts, because from then on
// they do not agree any more; of backends every replica sees the same, up to how old its list is, so the least counts.
func merged(states []State) State {
	all := states[0]
	for _, s := range states[1:] {
		all.Mode = agreed(all.Mode, s.Mode)
		all.ModeBy = agreed(all.ModeBy, s.ModeBy)
		all.ModeUntil = earlier(all.ModeUntil, s.ModeUntil)
		all.Admit += s.Admit
		if all.Weights != s.Weights {
			all.Weights = Weights{}
		}
		all.WeightsBy = agreed(all.WeightsBy, s.WeightsBy)
		all.WeightsUntil = earlier(all.WeightsUntil, s.WeightsUntil)
		all.Queue.Waiting += s.Queue.Waiting
		all.Queue.Oldest = max(all.Queue.Oldest, s.Queue.Oldest)
		all.Backends.Stable = min(all.Backends.Stable, s.Backends.Stable)
		all.Backends.Standby = min(all.Backends.Standby, s.Backends.Standby)
	}
	return all
}

func agreed(a, b string) string {
	if a == b {
		return a
	}
	return ""
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}
