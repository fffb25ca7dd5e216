package grafana

import (
	"maps"
	"regexp"

	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// builtIn are values that Grafana computes from what is shown and from how often Prometheus scrapes: those of the last
// 15 minutes. The rate's window is a little longer than Grafana's would be at one scrape a second (4 s), so that a busy
// machine's late scrape does not make an empty answer.
var builtIn = map[string]string{
	"__rate_interval": "15s",
	"__interval":      "1s",
	"__range":         "15m",
	"__range_s":       "900",
}

var reference = regexp.MustCompile(`\$\{(\w+)(?::\w+)?\}|\$(\w+)`)

// variables are the values that a dashboard has when it is opened.
func variables(board model.Dashboard) map[string]string {
	values := maps.Clone(builtIn)
	for _, v := range board.Templating.List {
		switch {
		case v.Current.Value == "":
		case v.Current.Value == "$__all":
			values[v.Name] = v.AllValue
		default:
			values[v.Name] = v.Current.Value
		}
	}
	return values
}

// interpolate leaves alone what is no variable: a regular expression's end is a dollar as well.
func interpolate(expr string, values map[string]string) string {
	return reference.ReplaceAllStringFunc(expr, func(found string) string {
		names := reference.FindStringSubmatch(found)
		if value, known := values[names[1]+names[2]]; known {
			return value
		}
		return found
	})
}
