package contract

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/prometheus/otlptranslator"
)

// namer names metrics as the exporter in observability/telemetry does.
var namer = otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)

var otelTypes = map[Type]otlptranslator.MetricType{
	Counter:   otlptranslator.MetricTypeMonotonicCounter,
	Gauge:     otlptranslator.MetricTypeGauge,
	Histogram: otlptranslator.MetricTypeHistogram,
}

// unitWords are the units that a name may end in; what a name ends in must be its unit.
var unitWords = map[string]string{
	"seconds": "s", "milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns", "minutes": "min", "hours": "h",
	"bytes": "By", "kibibytes": "KiBy", "ratio": "1", "percent": "%",
}

// prometheusName is what the metric is called on the page. A name of client_golang is not translated: it must already
// say its unit and type, as the translation of itself would.
func prometheusName(m Metric) (string, error) {
	own := m.Name
	if strings.HasSuffix(m.Unit, "/s") {
		own = strings.TrimSuffix(own, "_per_second") // the translation does not see that it is there already
	}
	name, err := namer.Build(otlptranslator.Metric{Name: own, Unit: m.Unit, Type: otelTypes[m.Type]})
	if err != nil {
		return "", err
	}
	if !strings.Contains(m.Name, ".") && name != m.Name {
		return "", fmt.Errorf("a %s in %q is called %s: change the name, the unit or the type", m.Type, m.Unit, name)
	}
	if _, unit := splitUnit(family(name)); unit != "" && unit != m.Unit {
		return "", fmt.Errorf("%s ends in a unit, %q, that is not the metric's, %q", name, unit, m.Unit)
	}
	return name, nil
}

// family is the name of an OpenMetrics family: only a counter's differs from the name in queries.
func family(name string) string { return strings.TrimSuffix(name, "_total") }

// splitUnit takes a family's unit off its name.
func splitUnit(name string) (base, unit string) {
	at := strings.LastIndexByte(name, '_')
	if at < 0 || unitWords[name[at+1:]] == "" {
		return name, ""
	}
	return name[:at], unitWords[name[at+1:]]
}

// label is an attribute's name as Prometheus and Loki write it.
func label(attribute string) string { return strings.ReplaceAll(attribute, ".", "_") }

// labelsOf writes several.
func labelsOf(attributes ...[]string) []string {
	var names []string
	for _, list := range attributes {
		for _, a := range list {
			names = append(names, label(a))
		}
	}
	return names
}

// nameWord is one word of a span's name: itself, or the attribute that it stands for.
type nameWord struct{ text, attribute string }

var placeholder = regexp.MustCompile(`^<([a-z0-9._]+)>$`)

func nameWords(name string) []nameWord {
	var words []nameWord
	for word := range strings.SplitSeq(name, " ") {
		if of := placeholder.FindStringSubmatch(word); of != nil {
			words = append(words, nameWord{attribute: of[1]})
			continue
		}
		words = append(words, nameWord{text: word})
	}
	return words
}
