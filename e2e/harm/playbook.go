package harm

import (
	"fmt"
	"strings"
)

// rungs are what the remedies need beside their name.
var rungs = map[string]string{
	"scale-out":     "        with: {by: 2, at_most: 4}\n        hold: {ttl: 15s, at_most: 1m}\n",
	"shed":          "        with: {admit: 40}\n        hold: {ttl: 15s, at_most: 1m}\n",
	"accept":        "        hold: {ttl: 15s, at_most: 1m}\n",
	"defer-payment": "        hold: {ttl: 15s, at_most: 1m}\n",
	"shift-traffic": "        hold: {ttl: 15s, at_most: 1m}\n",
}

// playbook has one remedy as the only rung for every cause.
func playbook(remedy string, causes ...string) string {
	var out strings.Builder
	out.WriteString("version: 2\ncauses:\n")
	for _, cause := range causes {
		fmt.Fprintf(&out, "  %s:\n    ladder:\n      - remedy: %s\n        timeout: 10s\n        verify: {readings: 3, within: 10s}\n%s",
			cause, remedy, rungs[remedy])
	}
	return out.String()
}
