// Package specs holds Faultline's own promises, as OpenSLO files.
package specs

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/openslo"
)

//go:embed *.yaml
var files embed.FS

// Folder is where the files lie in the repository.
const Folder = "slo/specs"

// Files are the specs, by their path in the repository.
func Files() ([]openslo.File, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("specs: %w", err)
	}
	var all []openslo.File
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("specs: %w", err)
		}
		all = append(all, openslo.File{Name: path.Join(Folder, name), Text: text})
	}
	return all, nil
}

// Load reads all of them.
func Load() ([]model.SLO, error) {
	all, err := Files()
	if err != nil {
		return nil, err
	}
	return openslo.Parse(all...)
}

// Find is the one of a name.
func Find(name string) (model.SLO, error) {
	all, err := Load()
	if err != nil {
		return model.SLO{}, err
	}
	var names []string
	for _, slo := range all {
		if slo.Name == name {
			return slo, nil
		}
		names = append(names, slo.Name)
	}
	return model.SLO{}, fmt.Errorf("there is no SLO %q; there are: %v", name, names)
}
