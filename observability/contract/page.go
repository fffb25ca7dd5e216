package contract

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// Page is one scrape page in the OpenMetrics format, by the names of its families (a counter's without _total).
type Page map[string]Family

// Family is one metric on a page. Its unit stands in its name: a # UNIT line may only repeat that, and our exporters
// write none.
type Family struct {
	Type   Type
	Series []Series
	// Observations is how many measurements a histogram has seen, over all series.
	Observations float64
	// Exemplars counts those that lead to a trace, Broken those that do not.
	Exemplars, Broken int
}

// Series is one series' labels, without le and without __name__: a histogram's buckets, sum and count are one series.
type Series map[string]string

// ReadPage reads a scrape page as it is served to a scraper that accepts application/openmetrics-text 1.0.0.
func ReadPage(data []byte) (Page, error) {
	r := pageReader{
		page: Page{}, seen: map[string]bool{},
		parser: textparse.NewOpenMetricsParser(data, labels.NewSymbolTable()),
	}
	for {
		entry, err := r.parser.Next()
		if errors.Is(err, io.EOF) {
			return r.page, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the page is no OpenMetrics: %w", err)
		}
		if err := r.take(entry); err != nil {
			return nil, err
		}
	}
}

// pageReader gathers lines into families.
type pageReader struct {
	parser textparse.Parser
	page   Page
	seen   map[string]bool // series
}

func (r *pageReader) take(entry textparse.Entry) error {
	switch entry {
	case textparse.EntryType:
		name, kind := r.parser.Type()
		r.change(string(name), func(f *Family) { f.Type = Type(strings.Clone(string(kind))) })
	case textparse.EntrySeries:
		return r.series()
	}
	return nil
}

func (r *pageReader) change(name string, by func(*Family)) {
	f := r.page[name]
	by(&f)
	r.page[name] = f
}

func (r *pageReader) series() error {
	var all labels.Labels
	r.parser.Labels(&all)
	sample := all.Get(model.MetricNameLabel)
	name, suffix, known := r.family(sample)
	if !known {
		return fmt.Errorf("series %s belongs to no family with a # TYPE line", sample)
	}
	own := Series{}
	all.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel && l.Name != model.BucketLabel && l.Value != "" { // empty is absent
			own[l.Name] = l.Value
		}
	})
	_, _, value := r.parser.Series()
	r.change(name, func(f *Family) {
		if id := name + own.key(); !r.seen[id] {
			r.seen[id] = true
			f.Series = append(f.Series, own)
		}
		if suffix == "_count" {
			f.Observations += value
		}
		r.exemplars(f)
	})
	return nil
}

// family finds whose series it is; a family's own name wins over a suffix.
func (r *pageReader) family(sample string) (name, suffix string, known bool) {
	for _, suffix := range []string{"", "_total", "_bucket", "_count", "_sum", "_created"} {
		name := strings.TrimSuffix(sample, suffix)
		if _, known := r.page[name]; known && name+suffix == sample {
			return name, suffix, true
		}
	}
	return "", "", false
}

var traceID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (r *pageReader) exemplars(f *Family) {
	var e exemplar.Exemplar
	for r.parser.Exemplar(&e) {
		if traceID.MatchString(e.Labels.Get("trace_id")) {
			f.Exemplars++
		} else {
			f.Broken++
		}
		e = exemplar.Exemplar{}
	}
}

func (s Series) key() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "\xff%s\xff%s", name, s[name])
	}
	return b.String()
}
