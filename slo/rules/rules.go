// Package rules holds the Prometheus rule files that every target runs, local and Kubernetes alike. They are plain
// files, to be read and changed as such; rule tests for promtool are in testdata.
package rules

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"
)

// FS holds the rule files of local mode, *.rules.yml, at its root: those of Files(Demo, time.Second).
//
//go:embed *.rules.yml
var FS embed.FS

//go:embed pool.rules.yml.tmpl
var poolTemplate string

//go:embed production/checkout.production.rules.yml
var checkoutProduction []byte

// The profiles: what an SLO's windows and objective are.
const (
	Demo       = "demo"       // compressed, so that a demo fits in a minute
	Production = "production" // 30 days, with the windows of the SRE Workbook
)

// Profiles lists the profiles.
func Profiles() []string { return []string{Demo, Production} }

// scrapes is how many samples the shortest window must hold: a rate over fewer is a guess.
const scrapes = 4

// shortest is the shortest window of each profile's SLO; the pool's grow with the interval.
var shortest = map[string]time.Duration{Demo: 5 * time.Second, Production: 5 * time.Minute}

// Files returns the rule files of a profile, by name, for a Prometheus that scrapes at an interval of whole seconds.
func Files(profile string, interval time.Duration) (map[string][]byte, error) {
	window, known := shortest[profile]
	switch {
	case !known:
		return nil, fmt.Errorf("rules: there is no profile %q; use one of: %s", profile, strings.Join(Profiles(), ", "))
	case interval <= 0 || interval%time.Second != 0:
		return nil, fmt.Errorf("rules: the scrape interval is %s: use whole seconds, 1s or more", interval)
	case interval*scrapes > window:
		return nil, fmt.Errorf("rules: profile %s has a window of %s, which must hold %d scrapes: scrape every %s or more often",
			profile, window, scrapes, (window / scrapes).Truncate(time.Second))
	}
	pool, err := pool(interval)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"pool.rules.yml": pool}
	if profile == Production {
		files["checkout.production.rules.yml"] = slices.Clone(checkoutProduction)
		return files, nil
	}
	checkout, err := FS.ReadFile("checkout.demo.rules.yml")
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	files["checkout.demo.rules.yml"] = checkout
	return files, nil
}

// pool renders the symptom alert; Prometheus has braces of its own in it, so the template's are others.
func pool(interval time.Duration) ([]byte, error) {
	parsed, err := template.New("pool").Delims("<<", ">>").Parse(poolTemplate)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	var out bytes.Buffer
	seconds := int(interval / time.Second)
	if err := parsed.Execute(&out, struct{ Scrape, Window int }{seconds, scrapes * seconds}); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return out.Bytes(), nil
}
