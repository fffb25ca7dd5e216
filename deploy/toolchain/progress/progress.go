// Package progress shows what a long piece of work is doing: one line rewritten in place on a terminal, and a line now
// and then in a log.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	// terminalEvery is how often a line on a terminal is rewritten, at most.
	terminalEvery = 200 * time.Millisecond
	// logEvery is how often a line is added to a log, at most: often enough that nobody takes the work for dead.
	logEvery = 15 * time.Second
	// narrow is the width assumed for a terminal that does not tell its own.
	narrow = 80
)

// Line is safe for use by several goroutines.
type Line struct {
	mu       sync.Mutex
	out      io.Writer
	terminal *os.File // nil when out is none
	last     time.Time
	shown    bool // a line stands on the terminal that Update wrote
}

// New writes to out; nil shows nothing.
func New(out io.Writer) *Line {
	if out == nil {
		out = io.Discard
	}
	line := &Line{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		line.terminal = file
	}
	return line
}

// Update shows a passing state. On a terminal it takes the place of the one before; in a log most are left out.
func (l *Line) Update(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	every := logEvery
	if l.terminal != nil {
		every = terminalEvery
	}
	if time.Since(l.last) < every {
		return
	}
	l.last = time.Now()
	text := fmt.Sprintf(format, args...)
	if l.terminal == nil {
		fmt.Fprintln(l.out, text)
		return
	}
	l.shown = true
	fmt.Fprintf(l.out, "\r\033[K%s", cut(text, l.width()-1))
}

// Print writes a line that stays.
func (l *Line) Print(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.last = time.Now()
	fmt.Fprintf(l.out, format+"\n", args...)
}

// Clear takes a passing line off the terminal, so that what others write starts on a clean one.
func (l *Line) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

func (l *Line) clear() {
	if l.shown {
		fmt.Fprint(l.out, "\r\033[K")
		l.shown = false
	}
}

func (l *Line) width() int {
	width, _, err := term.GetSize(int(l.terminal.Fd()))
	if err != nil || width < 20 {
		return narrow
	}
	return width
}

// cut keeps a line from wrapping: a wrapped line cannot be rewritten in place.
func cut(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}
