package report

import "time"

// stageRow is one line of the table of durations.
type stageRow struct{ Stage, Took, From, To string }

// instant is one end of a stage. at is nil when it was not reached, or, with unknown set, when nobody can tell.
type instant struct {
	what    string
	at      *time.Time
	unknown bool
	edge    bool // read off the edge's series, not from the record
}

// stages splits the time from the first bad second to the proof into pieces that follow one another.
func (b *builder) stages() []stageRow {
	s := b.in.Incident.Stages
	first := b.edgeInstant("first bad second", b.journey.firstBad)
	well := b.edgeInstant("first of 10 good seconds running", b.journey.recovered)
	onDisk := instant{what: "alert on disk", at: s.WebhookReceived}
	decided := instant{what: "remedy that every guard allows", at: s.Decided}
	acted := instant{what: "last action finished", at: s.ActionFinished}
	proof := instant{what: "proof complete", at: s.Verified}
	if b.provedWithout() {
		proof.what = "the change taken back and the edge watched without it"
	}
	rows := []stageRow{
		b.stage("Detect", first, onDisk),
		b.stage("Diagnose and decide", onDisk, decided),
		b.stage("Act", decided, acted),
		b.stage("Verify", acted, proof),
	}
	if a := b.in.Incident.Approval; a != nil && a.At != nil {
		rows = append(rows, b.stage("Wait for a person", instant{what: "asked", at: &a.AskedAt}, instant{what: "answered", at: a.At}))
	}
	if b.journey.mitigated >= 0 {
		rows = append(rows, b.stage("Clients helped", first, b.edgeInstant("first of 10 seconds running with orders completed or taken for later", b.journey.mitigated)))
	}
	return append(rows, b.stage("Clients well again", first, well))
}

func (b *builder) edgeInstant(what string, step int) instant {
	if step < 0 {
		return instant{what: what, unknown: !b.edgeKnown(), edge: true}
	}
	at := b.in.Telemetry.Grid.Since(step)
	return instant{what: what, at: &at, edge: true}
}

func (b *builder) stage(name string, from, to instant) stageRow {
	row := stageRow{Stage: name, Took: "not reached", From: b.moment(from), To: b.moment(to)}
	switch {
	case from.at != nil && to.at != nil:
		row.Took = took(to.at.Sub(*from.at))
		if from.edge || to.edge {
			b.cites.mark(b.in.Telemetry.Edge.Fast, name, row.Took)
		}
		if !from.edge || !to.edge {
			b.cites.mark(b.in.Record, name, row.Took)
		}
	case from.unknown || to.unknown:
		row.Took = "unknown"
	}
	return row
}

func (b *builder) moment(i instant) string {
	switch {
	case i.unknown:
		return i.what + ": unknown"
	case i.at == nil:
		return i.what + ": none"
	default:
		return i.what + ", " + relative(*i.at, b.zero)
	}
}

// stageNote says where the times come from, and why one may be missing.
func (b *builder) stageNote() string {
	note := "Times of the healer's stages are the record's " + b.cites.mark(b.in.Record, "stage times", "see the timeline")
	e := b.in.Telemetry.Edge
	switch {
	case !b.edgeKnown():
		note += "; what clients saw is " + b.cites.unknown(b.edgeGap(), "first bad second")
	case b.journey.firstBad < 0:
		note += "; the edge saw no bad second " + b.cites.mark(e.Fast, "first bad second", "none")
	default:
		note += "; the bad and the good seconds are the edge's " + b.cites.mark(e.Fast, "first bad second",
			clock(b.in.Telemetry.Grid.Since(b.journey.firstBad)))
	}
	return note + ". Relative times count from the first alert."
}

// edgeGap is the reason why the edge's SLI is not known.
func (b *builder) edgeGap() Provenance {
	e := b.in.Telemetry.Edge
	for _, p := range []Provenance{e.All, e.Fast} {
		if !p.Known() {
			return p
		}
	}
	p := e.All
	p.Unknown = "the edge's series holds no reading in this time"
	return p
}
