package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	waterfallWidth = 36 // characters of the time axis
	waterfallSpans = 40 // more would hide the one that matters
	waterfallNames = 46
)

// waterfall draws the spans of a trace in the order in which they began, children under their parents.
func waterfall(spans []Span) string {
	if len(spans) == 0 {
		return ""
	}
	ordered := inTreeOrder(spans)
	start, end := spans[0].Start, spans[0].Start
	for _, s := range spans {
		if s.Start.Before(start) {
			start = s.Start
		}
		if e := s.Start.Add(s.Duration); e.After(end) {
			end = e
		}
	}
	whole := max(end.Sub(start), time.Microsecond)
	var b strings.Builder
	for i, s := range ordered {
		if i == waterfallSpans {
			fmt.Fprintf(&b, "... and %d more spans\n", len(ordered)-i)
			break
		}
		name := fit(strings.Repeat("  ", s.depth)+s.Service+": "+s.Name, waterfallNames)
		fmt.Fprintf(&b, "%-*s |%s| %9s%s\n", waterfallNames, name, bar(s.Start.Sub(start), s.Duration, whole),
			millis(s.Duration), failure(s.Span))
	}
	return strings.TrimRight(b.String(), "\n")
}

type placed struct {
	Span

	depth int
}

// inTreeOrder walks the tree depth first. A span whose parent is not in the trace stands as a root of its own, and
// a loop in the parents ends nothing: each span is visited once.
func inTreeOrder(spans []Span) []placed {
	byStart := slices.Clone(spans)
	slices.SortStableFunc(byStart, func(a, b Span) int { return cmp.Compare(a.Start.UnixNano(), b.Start.UnixNano()) })
	known := map[string]bool{}
	children := map[string][]Span{}
	for _, s := range byStart {
		known[s.ID] = true
	}
	for _, s := range byStart {
		parent := s.Parent
		if !known[parent] || parent == s.ID {
			parent = ""
		}
		children[parent] = append(children[parent], s)
	}
	visited := map[string]bool{}
	var ordered []placed
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, s := range children[parent] {
			if !visited[s.ID] {
				visited[s.ID] = true
				ordered = append(ordered, placed{Span: s, depth: depth})
				walk(s.ID, depth+1)
			}
		}
	}
	walk("", 0)
	for _, s := range byStart {
		if !visited[s.ID] {
			visited[s.ID] = true
			ordered = append(ordered, placed{Span: s})
			walk(s.ID, 1)
		}
	}
	return ordered
}

// bar draws one span on the axis; even the shortest has one block.
func bar(offset, length, whole time.Duration) string {
	scale := float64(waterfallWidth) / whole.Seconds()
	from := min(max(int(offset.Seconds()*scale), 0), waterfallWidth-1)
	to := min(max(int(math.Round((offset+length).Seconds()*scale)), from+1), waterfallWidth)
	return strings.Repeat(" ", from) + strings.Repeat("█", to-from) + strings.Repeat(" ", waterfallWidth-to)
}

func failure(s Span) string {
	switch {
	case !s.Failed:
		return ""
	case s.Note == "":
		return "  failed"
	default:
		return "  failed: " + fit(strings.Join(strings.Fields(s.Note), " "), 60)
	}
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// fit cuts a text to n characters.
func fit(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n-1]) + "…"
}
