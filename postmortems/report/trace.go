package report

import (
	"fmt"
	"time"
)

type traceView struct {
	Gap       string
	Intro     string
	Waterfall string
	LogsGap   string
	LogsIntro string
	Logs      string
}

// trace shows one failed checkout, and what it left in the logs.
func (b *builder) trace() traceView {
	t, l := b.in.Telemetry.Trace, b.in.Telemetry.Logs
	var v traceView
	if !t.From.Known() {
		v.Gap = "A failed checkout to look at: " + b.cites.unknown(t.From, "trace") + "."
	} else {
		v.Waterfall = block(waterfall(t.Spans))
		v.Intro = fmt.Sprintf("Trace %s %s, %s%s.", code(t.ID), b.cites.mark(t.From, "trace", t.ID),
			count(float64(len(t.Spans)), "span"), b.waited(t))
	}
	if !l.From.Known() {
		v.LogsGap = "Its log lines: " + b.cites.unknown(l.From, "log lines") + "."
		return v
	}
	v.LogsIntro = "Its log lines " + b.cites.mark(l.From, "log lines", number(float64(len(l.Lines)+l.More))) + ":"
	for _, line := range l.Lines {
		v.Logs += fmt.Sprintf("%s %-5s %s: %s\n", clock(line.At), line.Level, line.Service, fit(inlineSpaces(line.Text), 300))
	}
	if l.More > 0 {
		v.Logs += fmt.Sprintf("... and %d more\n", l.More)
	}
	v.Logs = block(v.Logs)
	if len(l.Lines) == 0 {
		v.Logs = "(none)\n"
	}
	return v
}

// waited says how long the request stood in line for a connection: the figure that makes a trace an offending one.
func (b *builder) waited(t Trace) string {
	var longest time.Duration
	for _, s := range t.Spans {
		if s.Name == acquireSpan {
			longest = max(longest, s.Duration)
		}
	}
	if longest == 0 {
		return ""
	}
	return ", waited " + millis(longest) + " for a connection " + b.cites.mark(t.From, "longest wait for a connection", millis(longest))
}

// acquireSpan is the name of the span that covers the wait for a connection (docs/contracts.md, "Telemetry names").
const acquireSpan = "pool.acquire"
