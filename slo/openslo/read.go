package openslo

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/observability/strictyaml"
	"github.com/faultline-lab/faultline/slo/model"
)

// File is a file's name, for errors, and its text.
type File struct {
	Name string
	Text []byte
}

// Load reads files from disk.
func Load(paths ...string) ([]model.SLO, error) {
	var files []File
	var problems []error
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		files = append(files, File{path, text})
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return Parse(files...)
}

// Parse reads files that may refer to each other's objects, and returns their SLOs in the order they stand there. Every
// problem is reported, not only the first.
func Parse(files ...File) ([]model.SLO, error) {
	r := &reader{objects: map[string]map[string]strictyaml.Document{}}
	for _, file := range files {
		r.file(file)
	}
	var all []model.SLO
	names := map[string]strictyaml.Place{}
	for _, found := range r.slos {
		for _, slo := range r.convert(found) {
			place := slo.Places.Of(model.AtName)
			if first, there := names[slo.Name]; there {
				r.add(fmt.Errorf("%s: there is an SLO %q already, at %s: give one of them another name", place, slo.Name, first))
			}
			names[slo.Name] = place
			all = append(all, slo)
		}
	}
	if err := errors.Join(r.problems...); err != nil {
		return nil, err
	}
	return all, nil
}

// reader collects the objects of all files before it looks at how they hang together.
type reader struct {
	slos     []at[object[sloSpec]]
	slis     map[string]at[object[sliSpec]]
	sources  map[string]at[object[dataSourceSpec]]
	objects  map[string]map[string]strictyaml.Document // by kind and name
	problems []error
}

// at is an object and the document that it was read from.
type at[Object any] struct {
	strictyaml.Document
	object Object
}

func (r *reader) add(err error) {
	if err != nil {
		r.problems = append(r.problems, err)
	}
}

func (r *reader) file(file File) {
	documents, err := strictyaml.Parse(file.Name, file.Text)
	if err != nil {
		r.add(err)
		return
	}
	if len(documents) == 0 {
		r.add(fmt.Errorf("%s:1:1: the file is empty: write an SLO, see docs/slo.md", file.Name))
	}
	for _, document := range documents {
		for _, item := range document.Items() {
			r.item(item)
		}
	}
}

var kinds = []string{"SLO", "SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"}

func (r *reader) item(d strictyaml.Document) {
	var h header
	if err := d.Peek(&h); err != nil {
		r.add(err)
		return
	}
	switch {
	case h.APIVersion == "":
		r.add(d.Errorf("$.apiVersion", "apiVersion is missing: write apiVersion: %s", version))
		return
	case h.APIVersion != version:
		r.add(d.Errorf("$.apiVersion", "apiVersion is %q, and only %s is read here", h.APIVersion, version))
		return
	}
	switch h.Kind {
	case "SLO":
		if found, ok := read[sloSpec](r, d); ok {
			r.slos = append(r.slos, found)
		}
	case "SLI":
		if found, ok := read[sliSpec](r, d); ok {
			set(&r.slis, found.object.Metadata.Name, found)
		}
	case "DataSource":
		if found, ok := read[dataSourceSpec](r, d); ok {
			r.dataSource(found)
			set(&r.sources, found.object.Metadata.Name, found)
		}
	case "Service":
		_, _ = read[serviceSpec](r, d)
	case "AlertPolicy":
		if found, ok := read[alertPolicySpec](r, d); ok {
			r.alertPolicy(found)
		}
	case "AlertCondition":
		if found, ok := read[alertConditionSpec](r, d); ok {
			r.alertCondition(d, "$.spec", found.object.Spec)
		}
	case "AlertNotificationTarget":
		if found, ok := read[targetSpec](r, d); ok {
			r.need(d, found.object.Spec.Target != "", "$.spec.target", "target is missing: whom to notify")
		}
	default:
		r.add(d.Errorf("$.kind", "kind is %q; the kinds there are: %s", h.Kind, strings.Join(kinds, ", ")))
	}
}

func set[Value any](all *map[string]Value, name string, value Value) {
	if *all == nil {
		*all = map[string]Value{}
	}
	(*all)[name] = value
}

// read decodes an object and checks what all kinds have in common.
func read[Spec any](r *reader, d strictyaml.Document) (at[object[Spec]], bool) {
	found := at[object[Spec]]{Document: d}
	if err := d.Decode(&found.object); err != nil {
		r.add(err)
		return found, false
	}
	before := len(r.problems)
	r.metadata(d, "$.metadata", found.object.Metadata)
	r.need(d, d.Has("$.spec"), "$.spec", "spec is missing")
	kind, name := found.object.Kind, found.object.Metadata.Name
	if r.objects[kind] == nil {
		r.objects[kind] = map[string]strictyaml.Document{}
	}
	if first, there := r.objects[kind][name]; there {
		r.add(d.Errorf("$.metadata.name", "there is a %s %q already, at %s: give one of them another name", kind, name, first.Place("$.metadata.name")))
	}
	r.objects[kind][name] = d
	return found, len(r.problems) == before
}

func (r *reader) need(d strictyaml.Document, ok bool, path, format string, args ...any) {
	if !ok {
		r.add(d.Errorf(path, format, args...))
	}
}

func (r *reader) oneOf(d strictyaml.Document, path, name, value string, allowed ...string) {
	r.need(d, slices.Contains(allowed, value), path, "%s is %q; use one of: %s", name, value, strings.Join(allowed, ", "))
}
