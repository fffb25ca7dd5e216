package supervisor

import (
	"slices"

	"github.com/faultline-lab/faultline/deploy/local/process"
)

// want is what is asked of a workload.
type want struct {
	replicas int
	version  string
}

// have is one replica as the plan sees it.
type have struct {
	ordinal int
	version string
	state   process.State
}

// steps are what brings a workload nearer to what is wanted.
type steps struct {
	add    []int // ordinals to start
	remove []int // ordinals to stop and forget
	roll   int   // the ordinal to replace by the wanted version; 0 = none now
}

func (s steps) none() bool { return len(s.add) == 0 && len(s.remove) == 0 && s.roll == 0 }

// plan compares what is wanted with what there is. Versions change one replica at a time: the next one only when every
// replica that has the wanted version is ready; one that does not serve anyway goes first.
func plan(wanted want, replicas []have) steps {
	var next steps
	there := map[int]bool{}
	waiting := false
	var old []have
	for _, replica := range replicas {
		there[replica.ordinal] = true
		switch {
		case replica.ordinal > wanted.replicas:
			next.remove = append(next.remove, replica.ordinal)
		case replica.version != wanted.version:
			old = append(old, replica)
		case replica.state != process.Ready:
			waiting = true
		}
	}
	for ordinal := 1; ordinal <= wanted.replicas; ordinal++ {
		if !there[ordinal] {
			next.add = append(next.add, ordinal)
		}
	}
	if len(old) > 0 && !waiting && len(next.add) == 0 {
		first := max(0, slices.IndexFunc(old, func(r have) bool { return r.state != process.Ready }))
		next.roll = old[first].ordinal
	}
	return next
}
