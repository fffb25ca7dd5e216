package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTheMachine(t *testing.T) {
	for name, c := range map[string]struct {
		from   machine
		in     input
		want   State
		output []output
	}{
		"a stopped process starts when it is asked to":                      {machine{Stopped, false}, start, Starting, []output{spawn}},
		"a restart of a stopped process is a start":                         {machine{Stopped, false}, restart, Starting, []output{spawn}},
		"stopping a stopped process does nothing":                           {machine{Stopped, false}, stop, Stopped, nil},
		"starting a starting process does nothing":                          {machine{Starting, true}, start, Starting, nil},
		"a starting process is ready when it says so":                       {machine{Starting, true}, probed, Ready, nil},
		"ready said after stop does not count":                              {machine{Stopping, false}, probed, Stopping, nil},
		"a process that ends while starting has crashed":                    {machine{Starting, true}, ended, Crashed, []output{scheduleRetry}},
		"a process that cannot be started has crashed":                      {machine{Starting, true}, unstarted, Crashed, []output{scheduleRetry}},
		"a ready process that ends has crashed":                             {machine{Ready, true}, ended, Crashed, []output{scheduleRetry}},
		"a crashed process starts when its pause is over":                   {machine{Crashed, true}, retryDue, Starting, []output{spawn}},
		"a restart does not wait for the pause to be over":                  {machine{Crashed, true}, restart, Starting, []output{cancelRetry, spawn}},
		"a start does wait for the pause to be over":                        {machine{Crashed, true}, start, Crashed, nil},
		"stopping a crashed process cancels its next start":                 {machine{Crashed, true}, stop, Stopped, []output{cancelRetry}},
		"a pause that ends after stop starts nothing":                       {machine{Stopped, false}, retryDue, Stopped, nil},
		"stop signals a ready process":                                      {machine{Ready, true}, stop, Stopping, []output{signalStop}},
		"stop signals a starting process":                                   {machine{Starting, true}, stop, Stopping, []output{signalStop}},
		"restart signals a ready process":                                   {machine{Ready, true}, restart, Stopping, []output{signalStop}},
		"a process that was asked to stop stays stopped":                    {machine{Stopping, false}, ended, Stopped, nil},
		"a process that was asked to restart starts when it has ended":      {machine{Stopping, true}, ended, Starting, []output{spawn}},
		"a second restart while stopping has no second effect":              {machine{Stopping, true}, restart, Stopping, nil},
		"stop wins over a restart that is under way":                        {machine{Stopping, true}, stop, Stopping, nil},
		"a process that does not stop in time is killed":                    {machine{Stopping, false}, stopDue, Stopping, []output{kill}},
		"time to stop that runs out after the end kills nothing":            {machine{Stopped, false}, stopDue, Stopped, nil},
		"time to stop that runs out after a new start does not kill it":     {machine{Starting, true}, stopDue, Starting, nil},
		"a pause that is over when the process already runs starts nothing": {machine{Ready, true}, retryDue, Ready, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := c.from
			got := m.step(c.in)
			if m.state != c.want || !slices.Equal(got, c.output) {
				t.Errorf("got %s %v, want %s %v", m.state, got, c.want, c.output)
			}
		})
	}
}

// A world with one child slot: whatever is asked in whatever order, there is never more than one child, and a process
// that was last asked to stop comes to rest without one.
func TestWhateverIsAskedThereIsAtMostOneChildAndStopWins(t *testing.T) {
	for seed := range uint64(5000) {
		if err := walk(rand.New(rand.NewPCG(seed, 0))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// walk takes one random path through the life of a process.
func walk(random *rand.Rand) error {
	m := machine{state: Stopped}
	child, retry := false, false
	do := func(in input) error {
		for _, out := range m.step(in) {
			switch {
			case out == spawn && child:
				return errors.New("a second child was started")
			case (out == signalStop || out == kill) && !child:
				return errors.New("a signal without a child")
			}
			child = child || out == spawn
			retry = (retry || out == scheduleRetry) && out != cancelRetry
		}
		return nil
	}
	inputs := []input{start, stop, restart, probed, ended, retryDue, stopDue}
	for range 40 {
		in := inputs[random.IntN(len(inputs))]
		if ((in == ended || in == probed) && !child) || (in == retryDue && !retry) {
			continue // cannot happen
		}
		child = child && in != ended
		retry = retry && in != retryDue
		if err := do(in); err != nil {
			return err
		}
	}
	if err := do(stop); err != nil {
		return err
	}
	if child {
		child = false
		if err := do(ended); err != nil {
			return err
		}
	}
	if m.state != Stopped || child || retry {
		return fmt.Errorf("after stop: %s, child %v, retry %v", m.state, child, retry)
	}
	return nil
}
