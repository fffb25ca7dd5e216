package besidetest

import (
	"bytes"
	"testing"
	"time"
)

// patience is for a machine that is busy with compiling. Nothing is measured by it.
const patience = 3 * time.Minute

// FirstLine hands over the first line that is written to it.
type FirstLine struct {
	Line <-chan string

	line chan<- string
	text []byte
	sent bool
}

// NewFirstLine makes one.
func NewFirstLine() *FirstLine {
	line := make(chan string, 1) // nobody may be waiting yet
	return &FirstLine{Line: line, line: line}
}

// Write takes a piece of what a command says.
func (w *FirstLine) Write(data []byte) (int, error) {
	w.text = append(w.text, data...)
	if line, _, whole := bytes.Cut(w.text, []byte("\n")); whole && !w.sent {
		w.line <- string(line)
		w.sent = true
	}
	return len(data), nil
}

// Await waits for a value.
func Await[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("nothing came within %s", patience)
		panic("unreachable")
	}
}

// Eventually waits for a condition.
func Eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
