package process

import "fmt"

// State is where a process stands (docs/contracts.md, "The supervisor's control API").
type State string

// The states.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Stopping State = "stopping"
	Crashed  State = "crashed" // waiting for its next start
	Stopped  State = "stopped"
)

// States are all of them.
func States() []State { return []State{Starting, Ready, Stopping, Crashed, Stopped} }

// input is what happens to a process.
type input int

const (
	start     input = iota // somebody wants it to run
	stop                   // somebody wants it stopped
	restart                // somebody wants it stopped and started anew
	probed                 // it said that it is ready
	ended                  // the child has ended
	unstarted              // the child could not be started
	retryDue               // the backoff is over
	stopDue                // it was told to stop and has had its time
)

// output is what has to be done about an input.
type output int

const (
	spawn         output = iota // start a child and ask whether it is ready
	signalStop                  // tell the child to stop, and count its time
	kill                        // end the whole process group at once
	scheduleRetry               // come back with retryDue after the backoff
	cancelRetry
)

// machine is the life of one process as a pure function of what happens to it.
type machine struct {
	state  State
	wanted bool // to be started again when the child that is stopping has ended
}

// step takes in what happened and returns what has to be done about it, in order. Inputs that come too late to matter
// (ready after stop) are ignored.
func (m *machine) step(in input) []output {
	switch in {
	case start, stop, restart:
		return m.ask(in)
	case probed:
		if m.state == Starting {
			m.state = Ready
		}
		return nil
	case ended, unstarted:
		return m.childGone()
	case retryDue:
		if m.state == Crashed {
			return m.spawn()
		}
		return nil
	case stopDue:
		if m.state == Stopping {
			return []output{kill}
		}
		return nil
	}
	panic(fmt.Sprintf("process: no input %d", in))
}

func (m *machine) ask(in input) []output {
	m.wanted = in != stop
	switch m.state {
	case Stopped:
		if m.wanted {
			return m.spawn()
		}
	case Crashed:
		if !m.wanted {
			m.state = Stopped
			return []output{cancelRetry}
		}
		if in == restart {
			return append([]output{cancelRetry}, m.spawn()...)
		}
	case Starting, Ready:
		if in != start {
			m.state = Stopping
			return []output{signalStop}
		}
	}
	return nil
}

func (m *machine) childGone() []output {
	if m.state == Stopping && !m.wanted {
		m.state = Stopped
		return nil
	}
	if m.state == Stopping {
		return m.spawn()
	}
	m.state = Crashed
	return []output{scheduleRetry}
}

func (m *machine) spawn() []output {
	m.state = Starting
	return []output{spawn}
}
