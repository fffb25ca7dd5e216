package report

import (
	_ "embed"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

//go:embed causes/connection-leak.md
var connectionLeak string

//go:embed causes/inconclusive.md
var inconclusive string

//go:embed causes/unlisted.md
var unlisted string

// causes are the texts for each cause that autoheal can name: one file per cause.
var causes = map[incident.Cause]string{
	incident.ConnectionLeak: connectionLeak,
	incident.Inconclusive:   inconclusive,
}

// causeText is a cause's file: what the cause is, then, below a line of three dashes, what is to be done about it.
type causeText struct{ meaning, items string }

// textOf returns the text for a cause; a cause without a file gets one that says so and holds for any cause.
func textOf(cause incident.Cause) causeText {
	text, ok := causes[cause]
	if !ok {
		text = unlisted
	}
	meaning, items, _ := strings.Cut(text, "\n---\n")
	return causeText{meaning: strings.TrimSpace(meaning), items: strings.TrimLeft(items, "\n")}
}
