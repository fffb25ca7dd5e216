// Package experiments holds the experiments that come with the program.
package experiments

import (
	"embed"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

//go:embed *.yaml unknown/*.yaml
var files embed.FS

// unknownFolder holds faults that are on no page of the healer's: they show whether it knows or recites.
const unknownFolder = "unknown"

// Names lists the experiments, sorted.
func Names() ([]string, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		if !entry.IsDir() {
			names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
		}
	}
	return names, nil
}

// Unknown reads the experiments whose faults the healer does not know. They are found by their names as the others are, and
// are listed nowhere else.
func Unknown() ([]experiment.Experiment, error) {
	entries, err := files.ReadDir(unknownFolder)
	if err != nil {
		return nil, err
	}
	var all []experiment.Experiment
	for _, entry := range entries {
		one, err := Get(strings.TrimSuffix(entry.Name(), ".yaml"))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// All reads every experiment, sorted by name.
func All() ([]experiment.Experiment, error) {
	names, err := Names()
	if err != nil {
		return nil, err
	}
	all := make([]experiment.Experiment, 0, len(names))
	for _, name := range names {
		one, err := Get(name)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Get reads the experiment of that name. Its error names those there are.
func Get(name string) (experiment.Experiment, error) {
	file := name + ".yaml"
	data, err := files.ReadFile(file)
	if err != nil {
		file = path.Join(unknownFolder, name+".yaml")
		data, err = files.ReadFile(file)
	}
	if err != nil {
		names, listErr := Names()
		if listErr != nil {
			return experiment.Experiment{}, listErr
		}
		return experiment.Experiment{}, fmt.Errorf("there is no experiment %q; there are: %s", name, strings.Join(names, ", "))
	}
	return experiment.Parse(path.Join("chaos/experiments", file), data)
}

// Find reads an experiment by its name or, when it looks like a path, from a file.
func Find(nameOrFile string) (experiment.Experiment, error) {
	if strings.ContainsAny(nameOrFile, "/\\") || strings.HasSuffix(nameOrFile, ".yaml") || strings.HasSuffix(nameOrFile, ".yml") {
		return experiment.Load(nameOrFile)
	}
	if _, err := os.Stat(nameOrFile); err == nil {
		return experiment.Load(nameOrFile)
	}
	return Get(nameOrFile)
}
