package storefront

import (
	"math/rand/v2"
	"slices"
)

// ring asks the replicas of one group in rounds: each round begins with every replica once, in a new random sequence, or
// else two streams of requests at one rate would each stick to a replica.
type ring struct {
	backends []Backend
	round    []int // replicas, by index, that this round has still to begin with
}

func newRing(backends []Backend) ring { return ring{backends: slices.Clone(backends)} }

// next gives all replicas, beginning with the one whose turn it is.
func (r *ring) next() []Backend {
	if len(r.backends) == 0 {
		return nil
	}
	if len(r.round) == 0 {
		r.round = rand.Perm(len(r.backends))
	}
	first := r.round[0]
	r.round = r.round[1:]
	return slices.Concat(r.backends[first:], r.backends[:first])
}
