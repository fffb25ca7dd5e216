// Package rules holds the Prometheus rule files that every target runs, local and Kubernetes alike. Those of the SLOs are
// generated from slo/specs (make generate), the symptom alert of the pool is written by hand. They are plain files, to be
// read as such; rule tests for promtool are in testdata.
package rules

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"text/template"
	"time"

	"github.com/faultline-lab/faultline/slo/profile"
)

// FS holds the rule files of local mode, *.rules.yml, at its root: those of Files(Demo, time.Second).
//
//go:embed *.rules.yml
var FS embed.FS

//go:embed pool.rules.yml.tmpl capacity.rules.yml.tmpl
var templates embed.FS

//go:embed production/*.rules.yml
var production embed.FS

// The profiles: what an SLO's windows and objective are.
const (
	Demo       = profile.Demo       // compressed, so that a demo fits in a minute
	Production = profile.Production // 30 days, with the windows of the SRE Workbook
)

// Profiles lists the profiles.
func Profiles() []string { return profile.Names() }

// LongestWindow is how far back the alerts of a profile look: Prometheus must keep at least that much.
func LongestWindow(name string) (time.Duration, error) {
	p, err := profile.Get(name)
	if err != nil {
		return 0, fmt.Errorf("rules: %w", err)
	}
	return p.Longest(), nil
}

// Files returns the rule files of a profile, by name, for a Prometheus that scrapes at an interval of whole seconds.
func Files(name string, interval time.Duration) (map[string][]byte, error) {
	p, err := profile.Get(name)
	if err == nil {
		err = p.CheckInterval(interval)
	}
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	files, err := committed(p.Name)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	for _, file := range []string{poolFile, capacityFile} {
		if files[file], err = render(file, interval); err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
	}
	return files, nil
}

// The files whose windows grow with the interval, so what is committed of them is right for 1 s only: the symptom alert of
// the pools, and how much more fits into them.
const (
	poolFile     = "pool.rules.yml"
	capacityFile = "capacity.rules.yml"
)

// meanScrapes is over how many scrapes the capacity rules take their means.
const meanScrapes = 30

func committed(name string) (map[string][]byte, error) {
	from := FS
	pattern := "*.rules.yml"
	if name == Production {
		from, pattern = production, "production/*.rules.yml"
	}
	paths, err := fs.Glob(from, pattern)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, file := range paths {
		if files[path.Base(file)], err = from.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// render fills in a file's template; Prometheus has braces of its own in it, so the template's are others.
func render(file string, interval time.Duration) ([]byte, error) {
	parsed, err := template.New(file+".tmpl").Delims("<<", ">>").ParseFS(templates, file+".tmpl")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	seconds := int(interval / time.Second)
	err = parsed.Execute(&out, struct{ Scrape, Window, Means int }{seconds, profile.Scrapes * seconds, meanScrapes * seconds})
	return out.Bytes(), err
}
