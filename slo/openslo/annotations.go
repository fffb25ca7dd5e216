package openslo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/faultline-lab/faultline/observability/strictyaml"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
)

// Prefix is that of the annotations by which an SLO says what OpenSLO has no field for. Annotations of others are left
// alone; one of ours that there is not is an error.
const Prefix = "faultline.dev/"

// setting takes the value of an annotation over into the SLO; its error says what the value must be.
type setting func(value string, slo *model.SLO) error

// settings are the annotations, by their names after the prefix. Besides them there is accept-<lint>.
var settings = map[string]setting{
	"severity":      severity,
	"runbook":       func(value string, slo *model.SLO) error { slo.Alerting.Runbook = value; return nonEmpty(value) },
	"dashboard":     func(value string, slo *model.SLO) error { slo.Alerting.Dashboard = value; return nonEmpty(value) },
	"workload":      func(value string, slo *model.SLO) error { slo.Workload = value; return nonEmpty(value) },
	"present":       present,
	"absent-data":   absentData,
	"minimum-bad":   minimumBad,
	"expected-rate": expectedRate,
	"demo-target":   demoTarget,
}

const acceptPrefix = "accept-"

func (r *reader) annotations(d strictyaml.Document, annotations map[string]string, slo *model.SLO) {
	slo.Alerting = model.Alerting{Severity: model.Page, MinimumBad: -1}
	slo.Accepted = map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		path := "$.metadata.annotations" + strictyaml.Key(key)
		slo.Places[key] = d.Place(path)
		name, ours := strings.CutPrefix(key, Prefix)
		if !ours {
			continue
		}
		value := annotations[key]
		if lint, accepts := strings.CutPrefix(name, acceptPrefix); accepts {
			r.need(d, strings.TrimSpace(value) != "", path, "%s: say why the finding is accepted", key)
			slo.Accepted[lint] = value
			continue
		}
		set, known := settings[name]
		if !known {
			r.add(d.Errorf(path, "unknown annotation %q; those there are: %s, %s%s<lint>", key,
				Prefix+strings.Join(slices.Sorted(maps.Keys(settings)), ", "+Prefix), Prefix, acceptPrefix))
			continue
		}
		if err := set(value, slo); err != nil {
			r.add(d.Errorf(path, "%s: %v", key, err))
		}
	}
}

func nonEmpty(value string) error {
	if strings.TrimSpace(value) == "" || strings.ContainsAny(value, "\n{}") {
		return fmt.Errorf("%q: write one line without braces", value)
	}
	return nil
}

func severity(value string, slo *model.SLO) error {
	slo.Alerting.Severity = model.Severity(value)
	if slo.Alerting.Severity != model.Page && slo.Alerting.Severity != model.Ticket {
		return fmt.Errorf("%q: write page (which reaches the healer) or ticket", value)
	}
	return nil
}

func present(value string, slo *model.SLO) error {
	slo.Alerting.Present = strings.TrimSpace(value)
	expr, err := parser.ParseExpr(value)
	if err == nil && expr.Type() != parser.ValueTypeVector {
		err = fmt.Errorf("a %s", parser.DocumentedType(expr.Type()))
	}
	if err != nil {
		return fmt.Errorf("write a PromQL expression that has a sample while the source is measured, such as up{job=\"shop\"} == 1: %w", err)
	}
	return nil
}

func absentData(value string, slo *model.SLO) error {
	switch value {
	case string(model.Page), string(model.Ticket):
		slo.Alerting.AbsentSeverity = model.Severity(value)
	case "ignore":
		slo.Alerting.IgnoreAbsent = true
	default:
		return fmt.Errorf("%q: write page, ticket or ignore", value)
	}
	return nil
}

func minimumBad(value string, slo *model.SLO) error {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= 0 && n < 1e12) {
		return fmt.Errorf("%q: write how many bad events a short window must hold before anybody is told, such as 5", value)
	}
	slo.Alerting.MinimumBad = n
	return nil
}

func expectedRate(value string, slo *model.SLO) (err error) {
	slo.Alerting.ExpectedRate, err = ParseRate(value)
	return err
}

// ParseRate reads traffic: a number, a slash, and s, m, h or d. The result is events a second.
func ParseRate(text string) (float64, error) {
	count, unit, _ := strings.Cut(text, "/")
	seconds := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": day}[unit].Seconds()
	n, err := strconv.ParseFloat(count, 64)
	if err != nil || seconds == 0 || !(n > 0 && n < 1e12) {
		return 0, fmt.Errorf("%q: write events in a second, a minute, an hour or a day, such as 40/s or 3/h", text)
	}
	return n / seconds, nil
}

func demoTarget(value string, slo *model.SLO) error {
	target, err := strconv.ParseFloat(value, 64)
	if err != nil || !(target > 0 && target < 1) {
		return fmt.Errorf("%q: write the target of the demo profile, a share between 0 and 1, such as 0.99", value)
	}
	slo.Objectives = map[string]float64{profile.Demo: target}
	return nil
}
