package report

import (
	_ "embed"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

//go:embed causes/connection-leak.md
var connectionLeak string

//go:embed causes/bad-release.md
var badRelease string

//go:embed causes/lock-contention.md
var lockContention string

//go:embed causes/slow-query.md
var slowQuery string

//go:embed causes/network-latency.md
var networkLatency string

//go:embed causes/server-cap.md
var serverCap string

//go:embed causes/slow-downstream.md
var slowDownstream string

//go:embed causes/traffic-surge.md
var trafficSurge string

//go:embed causes/inconclusive.md
var inconclusive string

//go:embed causes/harmless.md
var harmless string

//go:embed causes/self-recovered.md
var selfRecovered string

//go:embed causes/unlisted.md
var unlisted string

// causes are the texts for each cause that autoheal can name: one file per cause.
var causes = map[incident.Cause]string{
	incident.ConnectionLeak: connectionLeak,
	incident.BadRelease:     badRelease,
	incident.LockContention: lockContention,
	incident.SlowQuery:      slowQuery,
	incident.NetworkLatency: networkLatency,
	incident.ServerCap:      serverCap,
	incident.SlowDownstream: slowDownstream,
	incident.TrafficSurge:   trafficSurge,
	incident.Inconclusive:   inconclusive,
}

// uncaused are the texts of incidents that ended well without a cause, by how they ended.
var uncaused = map[incident.Outcome]string{
	incident.Harmless:      harmless,
	incident.SelfRecovered: selfRecovered,
}

// causeText is a cause's file in three parts, each behind a line of three dashes: what the cause is, what contributes to
// it, and what is to be done about it. It holds whatever was done in the incident, so it tells of nothing that was.
type causeText struct{ meaning, factors, items string }

// textOf returns the text for an incident; a cause without a file gets one that says so and holds for any cause.
func textOf(in incident.Incident) causeText {
	text, ok := causes[in.Diagnosis.Cause]
	if !ok {
		text = unlisted
	}
	if unnamed := in.Diagnosis.Cause == "" || in.Diagnosis.Cause == incident.Inconclusive; unnamed && uncaused[in.Outcome] != "" {
		text = uncaused[in.Outcome]
	}
	found := parse(text)
	if version := rolledBack(in); version != "" {
		release := parse(badRelease)
		found.meaning += "\n\nWhat lasted was going back from version " + inline(version) + ": the leak came with that version."
		found.factors, found.items = release.factors, release.items
	}
	return found
}

func parse(text string) causeText {
	parts := strings.SplitN(text, "\n---\n", 3)
	return causeText{meaning: strings.TrimSpace(parts[0]), factors: strings.TrimSpace(parts[1]), items: strings.TrimLeft(parts[2], "\n")}
}

// rolledBack is the version that a leak was got rid of with, where the rollout was too long ago to be in evidence; else "".
func rolledBack(in incident.Incident) string {
	for _, a := range in.Actions {
		if in.Diagnosis.Cause == incident.ConnectionLeak && a.Remedy == "roll-back" && a.Undo != nil && a.Undo.State == incident.Kept {
			return a.Undo.Target.Is
		}
	}
	return ""
}
