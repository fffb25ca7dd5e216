package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/faultline-lab/faultline/slo/rules"
)

// settings are what the generated files of an overlay depend on: overlays/<name>/settings.yaml.
type settings struct {
	ScrapeInterval     metav1.Duration `json:"scrapeInterval"`
	SLOProfile         string          `json:"sloProfile"`
	Autonomy           string          `json:"autonomy"`
	AlertGroupInterval metav1.Duration `json:"alertGroupInterval"`
	// TraceSampleRatio is the share of the traces begun by our programs that is kept, in (0,1] (docs/sampling.md).
	TraceSampleRatio float64 `json:"traceSampleRatio"`
	Keep             keep    `json:"keep"`
}

// keep is for how long, or how much.
type keep struct {
	Metrics metav1.Duration `json:"metrics"`
	Alerts  metav1.Duration `json:"alerts"`
	// Logs is 0 where they last as long as Loki's pod.
	Logs metav1.Duration `json:"logs"`
	// Traces is their number.
	Traces int `json:"traces"`
}

// levels are the healer's levels of autonomy (docs/guards/autonomy.md).
var levels = []string{"act", "approve", "observe"}

// parseSettings reads settings.yaml; a key that it does not know is an error.
func parseSettings(path string, data []byte) (settings, error) {
	var s settings
	if err := yaml.UnmarshalStrict(data, &s); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.validate(); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s settings) validate() error {
	window, err := rules.LongestWindow(s.SLOProfile)
	switch {
	case err != nil:
		return fmt.Errorf("sloProfile is %q: use one of %s", s.SLOProfile, strings.Join(rules.Profiles(), ", "))
	case !slices.Contains(levels, s.Autonomy):
		return fmt.Errorf("autonomy is %q: use one of %s", s.Autonomy, strings.Join(levels, ", "))
	case s.TraceSampleRatio <= 0 || s.TraceSampleRatio > 1:
		return fmt.Errorf("traceSampleRatio is %v: use a share in (0,1]", s.TraceSampleRatio)
	case s.Keep.Metrics.Duration < window:
		return fmt.Errorf("keep.metrics is %s, but the rules of profile %s look back %s", s.Keep.Metrics.Duration, s.SLOProfile, window)
	case s.Keep.Alerts.Duration <= 0 || s.Keep.Traces <= 0 || s.AlertGroupInterval.Duration <= 0:
		return fmt.Errorf("keep.alerts, keep.traces and alertGroupInterval must be there and positive")
	}
	return nil
}
