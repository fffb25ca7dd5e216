package process

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// loop is the goroutine of one process: it feeds what happens to the machine, and does what the machine says. All its
// fields belong to that goroutine.
type loop struct {
	process *Process
	spec    Spec
	machine machine
	status  Status
	backoff *backoff.ExponentialBackOff

	child     Child
	childEnd  chan string   // receives once, when child has ended
	probeOK   chan struct{} // closed when child is ready
	endProbe  context.CancelFunc
	retry     <-chan time.Time
	stopTimer <-chan time.Time
}

func newLoop(p *Process) *loop {
	return &loop{
		process: p, spec: p.cfg.Spec, machine: machine{state: Stopped},
		status: Status{State: Stopped}, backoff: newBackOff(), endProbe: func() {},
	}
}

func (l *loop) run() {
	defer close(l.process.done)
	for {
		select {
		case <-l.process.quit:
			return
		case request := <-l.process.asks:
			request.answer <- l.take(request)
		case <-l.probeOK:
			l.probeOK = nil
			l.status.ReadyAt, l.status.Failures = time.Now(), 0
			l.happened(probed)
		case how := <-l.childEnd:
			l.childEnded(how)
		case <-l.retry:
			l.retry = nil
			l.happened(retryDue)
		case <-l.stopTimer:
			l.stopTimer = nil
			l.happened(stopDue)
		}
	}
}

func (l *loop) take(request ask) error {
	if request.startID != "" && request.startID != l.status.StartID {
		return fmt.Errorf("%s: start id %s is not the present one (%s): %w",
			l.spec.Name, request.startID, l.status.StartID, ErrStale)
	}
	if request.spec != nil {
		l.spec = *request.spec
	}
	l.happened(request.input)
	return nil
}

func (l *loop) happened(in input) {
	outputs := l.machine.step(in)
	l.status.State = l.machine.state
	for _, out := range outputs {
		switch out {
		case spawn:
			if in == retryDue {
				l.status.Relapses++
			}
			l.spawn()
		case signalStop:
			l.endProbe()
			l.probeOK = nil
			_ = l.child.Signal(l.spec.StopSignal) // it may have ended already: then its end is on its way here
			l.stopTimer = time.After(l.spec.StopTimeout)
		case kill:
			_ = l.child.Kill() // likewise
		case scheduleRetry:
			l.retry = time.After(l.backoff.NextBackOff())
		case cancelRetry:
			l.retry = nil
		}
	}
	l.process.publish(l.status)
}

// stableAfter is how long a process has to run for its next crash to count as the first one again.
const stableAfter = 10 * time.Second

func (l *loop) childEnded(how string) {
	l.endProbe()
	if time.Since(l.status.StartedAt) > stableAfter {
		l.backoff.Reset()
	}
	if l.machine.state != Stopping {
		l.status.Failures++
	}
	l.child, l.childEnd, l.probeOK, l.stopTimer = nil, nil, nil, nil
	l.status.PID, l.status.ReadyAt, l.status.LastEnd = 0, time.Time{}, how
	l.happened(ended)
}

func (l *loop) spawn() {
	if l.status.StartID != "" {
		l.status.Restarts++
	}
	l.status.StartID, l.status.StartedAt, l.status.ReadyAt = l.process.cfg.NewID(), time.Now(), time.Time{}
	child, err := l.process.cfg.Starter.Start(l.spec)
	if err != nil {
		l.status.Failures++
		l.status.PID, l.status.LastEnd = 0, fmt.Sprintf("it could not be started: %v", err)
		l.happened(unstarted)
		return
	}
	ending := make(chan string, 1)
	go func() { ending <- child.Wait() }()
	l.child, l.childEnd, l.status.PID = child, ending, child.PID()

	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	l.endProbe, l.probeOK = cancel, ready
	go probe(ctx, l.spec.Probe, l.process.cfg.ProbeEvery, ready)
}

// probe asks until the answer is yes, and closes ready then.
func probe(ctx context.Context, question func(context.Context) error, every time.Duration, ready chan<- struct{}) {
	for {
		one, cancel := context.WithTimeout(ctx, time.Second)
		err := question(one)
		cancel()
		if err == nil {
			close(ready)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}
