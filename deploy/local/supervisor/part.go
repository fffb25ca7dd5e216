package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/faultline-lab/faultline/deploy/local/process"
)

// Kind says what a process is for.
type Kind string

// The kinds.
const (
	Service  Kind = "service"  // ours
	Stack    Kind = "stack"    // observability and faults
	Database Kind = "database" // Postgres
)

// Part is one node of the graph: exactly one of Process, Workload and Task is set.
type Part struct {
	Name  string
	Kind  Kind
	Needs []string // names of the parts that must be ready before this one starts
	// Optional processes are started and kept running, but nobody waits for them, and the stack is ready without them.
	Optional bool

	Process  *process.Spec
	Workload *Workload
	Task     func(context.Context) error
}

// Workload is a service with replicas that can be restarted, scaled and changed in version while the stack runs.
type Workload struct {
	Labels map[string]string
	// Job is the job of its series and Group their label of that name: a second workload of one program counts as the same
	// job. Default: the workload's name, and no such label.
	Job, Group string
	Replicas   int
	Max        int
	Version    string
	Versions   map[string]string // version -> binary
	// Spec says how to run one replica; its Name, LogFile and Dir are set by the supervisor.
	Spec func(Replica) process.Spec
	// Address is where the n-th replica, counted from 1, serves HTTP, as host:port.
	Address func(ordinal int) string
}

// Replica is one replica of a workload.
type Replica struct {
	ID       string // workload, dash, ordinal
	Ordinal  int    // from 1
	Version  string
	Binary   string
	StateDir string // exists, and is empty at the start of the stack
}

func (p Part) validate() error {
	set := 0
	for _, is := range []bool{p.Process != nil, p.Workload != nil, p.Task != nil} {
		if is {
			set++
		}
	}
	if p.Name == "" || set != 1 {
		return fmt.Errorf("supervisor: part %q needs a name and exactly one of process, workload and task", p.Name)
	}
	if p.Optional && p.Process == nil {
		return fmt.Errorf("supervisor: part %s is no process, and only those can be optional", p.Name)
	}
	if w := p.Workload; w != nil {
		switch {
		case w.Spec == nil || w.Address == nil:
			return fmt.Errorf("supervisor: workload %s needs a spec and an address", p.Name)
		case w.Replicas < 0 || w.Replicas > w.Max:
			return fmt.Errorf("supervisor: workload %s cannot have %d replicas: choose 0 to %d", p.Name, w.Replicas, w.Max)
		case w.Versions[w.Version] == "":
			return fmt.Errorf("supervisor: workload %s has no version %q", p.Name, w.Version)
		}
	}
	return nil
}

// validateAll checks the parts one by one and together: names once, needs that exist, and no circle.
func validateAll(parts []Part) error {
	needs := map[string][]string{}
	for _, part := range parts {
		if err := part.validate(); err != nil {
			return err
		}
		if _, twice := needs[part.Name]; twice {
			return fmt.Errorf("supervisor: two parts are called %s", part.Name)
		}
		needs[part.Name] = part.Needs
	}
	for name, all := range needs {
		for _, need := range all {
			if _, ok := needs[need]; !ok {
				return fmt.Errorf("supervisor: %s needs %s, which is no part", name, need)
			}
			if slices.ContainsFunc(parts, func(p Part) bool { return p.Name == need && p.Optional }) {
				return fmt.Errorf("supervisor: %s needs %s, which is optional", name, need)
			}
		}
	}
	for len(needs) > 0 {
		before := len(needs)
		for name, all := range needs {
			if !slices.ContainsFunc(all, func(need string) bool { _, open := needs[need]; return open }) {
				delete(needs, name)
			}
		}
		if len(needs) == before {
			return errors.New("supervisor: parts need one another in a circle")
		}
	}
	return nil
}
