package guard

import (
	"fmt"
	"math"
)

// ownDamage charges the healer with what its own actions have cost the users: above a share of the error budget it must ask
// before it destroys anything, whatever its autonomy.
func ownDamage(r Request) Answer {
	cost := fmt.Sprintf("the healer's own actions have cost %.1f %% of the error budget (from %.4g %% on it must ask)",
		100*r.Damage, 100*r.Limits.OwnDamage)
	if math.IsNaN(r.Damage) {
		cost = "nobody knows what the healer's own actions have cost"
	}
	switch {
	case r.Damage < r.Limits.OwnDamage: // not so where nobody knows: not a number is less than nothing
		return yes("%s", cost)
	case !r.destroys():
		return yes("%s, but %s destroys nothing", cost, r.Remedy)
	case r.Approved != "":
		return yes("%s, and %s has approved %s", cost, r.Approved, r.Remedy)
	default:
		return never("%s: a person must approve %s", cost, r.Remedy)
	}
}
