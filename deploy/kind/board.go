package kind

import (
	"bytes"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// showEvery is how often the passing line is renewed.
const showEvery = time.Second

// Step is one part of the way up.
type Step struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took_ns"`
}

// Times are the steps in their order.
type Times []Step

// The names of the steps.
const (
	StepEngine    = "engine"
	StepNodeImage = "node image"
	StepPrograms  = "programs" // compiled, and made into images
	StepCluster   = "cluster"
	StepImages    = "images" // brought into the cluster
	StepSecrets   = "secrets"
	StepApply     = "apply"
	StepReady     = "ready"
	StepAnswers   = "answers" // from the host, through the node's ports
)

// Of is how long the step of that name took; zero when there was none.
func (t Times) Of(name string) time.Duration {
	for _, step := range t {
		if step.Name == name {
			return step.Took
		}
	}
	return 0
}

// Total is how long all took together.
func (t Times) Total() time.Duration {
	var sum time.Duration
	for _, step := range t {
		sum += step.Took
	}
	return sum
}

// board shows the steps: a line for each that is done, and what is being waited for meanwhile.
type board struct {
	line  *progress.Line
	times Times
}

// step does one step. The work says what it waits for, and returns a few words about what it did.
func (b *board) step(name string, work func(say func(string)) (string, error)) error {
	began := time.Now()
	var mu sync.Mutex
	var waiting string
	say := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		waiting = text
	}
	stop := every(showEvery, func() {
		mu.Lock()
		defer mu.Unlock()
		b.line.Update("  %-11s %6.0f s  %s ...", name, time.Since(began).Seconds(), waiting)
	})
	did, err := work(say)
	stop()
	took := time.Since(began)
	b.times = append(b.times, Step{Name: name, Took: took})
	if err != nil {
		b.line.Clear()
		return err
	}
	b.line.Print("  %-11s %6.1f s  %s", name, took.Seconds(), did)
	return nil
}

// Write takes whole lines of somebody else's progress, so that they and the passing line do not run into each other.
func (b *board) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		b.line.Print("    %s", bytes.TrimRight(line, "\r\n"))
	}
	return len(text), nil
}

// every calls do now and then until stop is called, and never after that.
func every(interval time.Duration, do func()) (stop func()) {
	ticker := time.NewTicker(interval)
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case <-ticker.C:
				do()
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-gone
	}
}
