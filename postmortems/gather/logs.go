package gather

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/postmortems/report"
)

const (
	maxLines  = 40 // log lines shown
	maxRead   = 400
	logMargin = 5 * time.Second // a line may be written after its span has ended
)

// logs reads what the trace's request left in the logs of every service.
func (g *Gatherer) logs(ctx context.Context, t report.Trace) report.Logs {
	from := report.Provenance{Source: "loki"}
	switch {
	case !t.From.Known():
		from.Unknown = "there is no trace whose lines could be looked for"
		return report.Logs{From: from}
	case g.cfg.Logs == nil:
		from.Unknown = g.missing("loki")
		return report.Logs{From: from}
	}
	from.Query = query.TraceLogs(t.ID)
	start, end := extent(t.Spans)
	from.Start, from.End = start.Add(-logMargin), end.Add(logMargin)
	records, err := g.cfg.Logs.QueryRange(ctx, from.Query, from.Start, from.End, maxRead)
	if err != nil {
		from.Unknown = reason(err)
		return report.Logs{From: from}
	}
	l := report.Logs{From: from, More: max(len(records)-maxLines, 0)}
	for _, r := range records[:min(len(records), maxLines)] {
		l.Lines = append(l.Lines, report.LogLine{
			At: r.At.UTC(), Text: withError(r),
			Service: cmp.Or(r.Labels["service_instance_id"], r.Labels["service_name"]),
			Level:   cmp.Or(r.Labels["severity_text"], r.Labels["detected_level"], r.Labels["level"]),
		})
	}
	return l
}

// withError adds the attribute that says what went wrong; the message itself is the same for every case.
func withError(r query.Log) string {
	if what := cmp.Or(r.Labels["error"], r.Labels["err"], r.Labels["exception_message"]); what != "" {
		return r.Line + " error=" + strconv.Quote(what)
	}
	return r.Line
}

func extent(spans []report.Span) (start, end time.Time) {
	for i, s := range spans {
		if i == 0 || s.Start.Before(start) {
			start = s.Start
		}
		if e := s.Start.Add(s.Duration); e.After(end) {
			end = e
		}
	}
	return start, end
}
