package guard_test

import (
	"math"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/slo/policy"
)

func budget(level policy.Level) func(*guard.Request) {
	return func(r *guard.Request) { r.Budget = &policy.Verdict{Level: level, Reason: "so much is left"} }
}

// both changes a request twice.
func both(one, other func(*guard.Request)) func(*guard.Request) {
	return func(r *guard.Request) { one(r); other(r) }
}

func approved(r *guard.Request) { r.Approved = "ada" }

func unknownBudget(r *guard.Request) { r.Budget = nil }

// well makes the target one that serves.
func well(r *guard.Request) { r.Failing = nil }

// reversible makes the remedy one that can be taken back.
func reversible(r *guard.Request) { r.Traits = remedy.Traits{Lasting: true} }

func level(a guard.Autonomy) func(*guard.Request) {
	return func(r *guard.Request) { r.Limits.Autonomy = a }
}

func damage(share float64) func(*guard.Request) {
	return func(r *guard.Request) { r.Damage = share }
}

func TestGuardsOfWhatPeopleDecide(t *testing.T) {
	judge(t, []row{
		{"error-budget", "allows a restart with a budget that is there to be used", budget(policy.Free), true, false},
		{"error-budget", "with care, allows to restart what fails its users", budget(policy.Cautious), true, false},
		{"error-budget", "with care, refuses to restart what serves", both(budget(policy.Cautious), well), false, false},
		{"error-budget", "with care, allows to end the sessions at the root", both(budget(policy.Cautious), endSession), true, false},
		{"error-budget", "with care, allows to roll back what fails", both(budget(policy.Cautious), rollBack), true, false},
		{"error-budget", "with care, refuses to roll back what serves", both(both(budget(policy.Cautious), rollBack), well), false, false},
		{"error-budget", "with care, allows what a person approved", both(both(budget(policy.Cautious), well), approved), true, false},
		{"error-budget", "an empty one refuses a restart, even of what fails", budget(policy.Freeze), false, false},
		{"error-budget", "an empty one never forbids what can be taken back", both(budget(policy.Freeze), reversible), true, false},
		{"error-budget", "an empty one allows what a person approved", both(budget(policy.Freeze), approved), true, false},
		{"error-budget", "an unknown one asks for care: what fails may be restarted", unknownBudget, true, false},
		{"error-budget", "an unknown one asks for care: what serves may not", both(unknownBudget, well), false, false},
		{"error-budget", "a level that nobody knows is taken for an empty one", budget("bold"), false, false},
		{"error-budget", "a remedy of which nobody has told what it does counts as destructive", both(budget(policy.Freeze), func(r *guard.Request) {
			r.Traits = remedy.Traits{}
		}), false, false},

		{"own-damage", "allows a healer that has cost little", damage(0.099), true, false},
		{"own-damage", "refuses a restart by one that has cost a tenth of the budget", damage(0.1), false, false},
		{"own-damage", "allows it what can be taken back", both(damage(5), reversible), true, false},
		{"own-damage", "allows it what a person approved", both(damage(5), approved), true, false},
		{"own-damage", "refuses a restart when nobody knows what it has cost", damage(math.NaN()), false, false},
		{"own-damage", "counts what is endless", damage(math.Inf(1)), false, false},

		{"autonomy", "allows everything at act", level(guard.Act), true, false},
		{"autonomy", "refuses at act what the playbook wants approved", func(r *guard.Request) { r.Limits.AskFirst = true }, false, false},
		{"autonomy", "refuses what the playbook wants approved even if it can be taken back", both(reversible, func(r *guard.Request) {
			r.Limits.AskFirst = true
		}), false, false},
		{"autonomy", "allows what the playbook wants approved and a person approved", both(approved, func(r *guard.Request) {
			r.Limits.AskFirst = true
		}), true, false},
		{"autonomy", "refuses a restart at approve: it cannot be taken back", level(guard.Approve), false, false},
		{"autonomy", "allows a restart at approve that a person approved", both(level(guard.Approve), approved), true, false},
		{"autonomy", "allows at approve what can be taken back", both(level(guard.Approve), reversible), true, false},
		{"autonomy", "refuses at approve a remedy of which nobody has told what it does", both(level(guard.Approve), func(r *guard.Request) {
			r.Traits = remedy.Traits{}
		}), false, false},
		{"autonomy", "refuses at observe even what can be taken back", both(level(guard.Observe), reversible), false, false},
		{"autonomy", "refuses at observe even what a person approved", both(level(guard.Observe), approved), false, false},
		{"autonomy", "refuses a level that it does not know", level("full"), false, false},
		{"autonomy", "refuses when no level was given", both(level(""), approved), false, false},
	})
}
