package board

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`\$\{[^}]+\}`)

// exploreLogs is the address of Explore with a question to Loki over the time that the dashboard shows. Variables stay as
// they are: Grafana fills them in when somebody clicks, and everything around them must be escaped.
func exploreLogs(expr string) string {
	pane := object{
		"datasource": "${loki}",
		"queries": []object{{
			"refId": "A", "datasource": loki, "expr": expr, "queryType": "range",
		}},
		"range": object{"from": "${__from}", "to": "${__to}"},
	}
	data, err := json.Marshal(object{"logs": pane})
	if err != nil {
		panic(fmt.Sprintf("board: a link to Explore: %v", err)) // strings in maps: cannot happen
	}
	return "/explore?schemaVersion=1&orgId=1&panes=" + escapeAround(string(data))
}

func escapeAround(text string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	var out strings.Builder
	last := 0
	for _, at := range variable.FindAllStringIndex(text, -1) {
		out.WriteString(escape(text[last:at[0]]))
		out.WriteString(text[at[0]:at[1]])
		last = at[1]
	}
	out.WriteString(escape(text[last:]))
	return out.String()
}
