// Package story tells a trial to a person as it happens: plain lines anywhere, and on a terminal one more line that
// always shows the present second.
package story

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/e2e/trial"
)

// Teller writes events as lines. Times count from the injection; before it they are blank.
type Teller struct {
	out      io.Writer
	live     bool // rewrite a last line with each second
	colour   bool
	injected time.Time
	bad      bool // the client suffers
	badLines int
	shown    bool // a live line stands at the cursor
}

// Config says what the output can show.
type Config struct {
	Out    io.Writer
	Live   bool // a terminal: the present second is shown on a line of its own
	Colour bool
}

// New makes a teller.
func New(cfg Config) *Teller { return &Teller{out: cfg.Out, live: cfg.Live, colour: cfg.Colour} }

// indent is where the text of an event begins: after the time and the label.
const indent = 19

// label is the word in front of an event, and its ANSI colour.
type label struct {
	word   string
	colour string
}

const (
	plain  = ""
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "36"
	faint  = "2"
)

var labels = map[trial.Kind]label{
	trial.Preparing: {"prepare", faint},
	trial.Steady:    {"steady", green},
	trial.Injected:  {"fault", red},
	trial.ClientBad: {"client", red},
	trial.Alert:     {"alert", yellow},
	trial.Healer:    {"healer", blue},
	trial.Recovered: {"client", green},
	trial.Resolved:  {"alert", green},
	trial.Restoring: {"restore", faint},
	trial.Note:      {"note", plain},
}

// Tell writes one event.
func (t *Teller) Tell(event trial.Event) {
	switch event.Kind {
	case trial.Injected:
		t.injected = event.At
	case trial.ClientBad:
		t.bad = true
	case trial.Recovered:
		t.bad = false
	case trial.Tick:
		t.second(event)
		return
	}
	t.line(event.At, labels[event.Kind], event.Text)
}

// Of a long suffering without a terminal the first seconds are told, and then one in ten.
const (
	badLinesInFull = 5
	thenOneIn      = 10
)

// second shows one second of the client. Without a terminal only the seconds of suffering are worth a line.
func (t *Teller) second(event trial.Event) {
	text := bar(*event.Second)
	switch {
	case t.live:
		t.clear()
		fmt.Fprintf(t.out, "%s  %s", t.stamp(event.At), text)
		t.shown = true
	case t.bad && !event.Second.OK:
		t.badLines++
		if t.badLines <= badLinesInFull || t.badLines%thenOneIn == 0 {
			t.line(event.At, label{"client", faint}, text)
		}
	}
}

func (t *Teller) line(at time.Time, label label, text string) {
	t.clear()
	word := fmt.Sprintf("%-8s", label.word)
	if t.colour && label.colour != plain {
		word = "\x1b[" + label.colour + "m" + word + "\x1b[0m"
	}
	fmt.Fprintf(t.out, "%s  %s %s\n", t.stamp(at), word, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", indent)))
}

func (t *Teller) clear() {
	if t.shown {
		fmt.Fprint(t.out, "\r\x1b[2K")
		t.shown = false
	}
}

func (t *Teller) stamp(at time.Time) string {
	if t.injected.IsZero() {
		return strings.Repeat(" ", 8)
	}
	return fmt.Sprintf("%6.1f s", at.Sub(t.injected).Round(100*time.Millisecond).Seconds())
}

// bar pictures one second of checkouts: twenty places, full where customers were served in time.
func bar(second record.Second) string {
	const width = 20
	full := 0
	if second.Counted > 0 {
		full = width * second.Good / second.Counted
	}
	return fmt.Sprintf("%s%s %d of %d checkouts good", strings.Repeat("█", full), strings.Repeat("░", width-full),
		second.Good, second.Counted)
}
