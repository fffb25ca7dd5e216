package study

import "math/rand/v2"

// Trial is one entry of the plan.
type Trial struct {
	Experiment string
	Arm        string
	Seed       int64
}

// Plan returns n trials for each experiment and arm in an order that the seed decides, so that neither arm profits
// from the machine's mood. The k-th trial of an experiment has the same seed under every arm: they meet the same load.
func Plan(experiments, arms []string, n int, seed int64) []Trial {
	var plan []Trial
	for _, experiment := range experiments {
		for _, arm := range arms {
			for k := range n {
				plan = append(plan, Trial{experiment, arm, seed + int64(k)})
			}
		}
	}
	order := rand.New(rand.NewPCG(uint64(seed), 0))
	order.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan
}
