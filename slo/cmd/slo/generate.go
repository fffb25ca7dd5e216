package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/openslo"
	"github.com/faultline-lab/faultline/slo/profile"
	"github.com/faultline-lab/faultline/slo/rulefile"
	"github.com/faultline-lab/faultline/slo/specs"
)

type generateCommand struct {
	Files    []string      `arg:"" name:"file" optional:"" help:"OpenSLO files, or folders of them (*.yaml, *.yml). Files may refer to each other's objects. Without any: Faultline's own."`
	Profile  string        `default:"production" enum:"demo,production" help:"Window profile: production or demo (slo profiles lists their windows)."`
	Interval time.Duration `default:"15s" help:"How often Prometheus scrapes; the shortest window must hold four of them."`
	Out      string        `type:"path" help:"Folder to write the rule files into, one for each SLO, with --prune=false beside whatever is there. Without it they go to standard output."`
	Prune    bool          `default:"true" negatable:"" help:"Remove slo-*.rules.yml files of the folder that belong to no SLO any more."`
}

// Help is what -h says below the flags.
func (generateCommand) Help() string {
	return `Each SLO becomes a Prometheus rule file: recording rules (slo:error_ratio:rate5m and its like, labelled slo and
workload), multi-window multi-burn-rate alerts, what is left of the error budget (slo:error_budget_remaining:ratio), and
an alert for the case that nobody measures. docs/slo.md explains the files, the annotations and the series.

  slo generate --profile=demo --interval=1s        the rules of Faultline's own promises, for the demo
  slo generate my-slo.yaml > my-slo.rules.yml      somebody else's, for a Prometheus that scrapes every 15 s
  slo generate slos/ --out=/etc/prometheus/rules   a folder of them`
}

// Run writes the rule files.
func (c generateCommand) Run(out command.Output) error {
	p, err := profile.Get(c.Profile)
	if err != nil {
		return err
	}
	if err := p.CheckInterval(c.Interval); err != nil {
		return err
	}
	slos, err := load(c.Files)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	var order []string
	var problems []error
	for _, slo := range slos {
		text, err := rulefile.Render(slo, p, slo.Places.Of(model.AtName).File)
		if err != nil {
			problems = append(problems, err)
		}
		name := rulefile.Name(slo)
		files[name], order = text, append(order, name)
	}
	switch err := errors.Join(problems...); {
	case err != nil:
		return err
	case c.Out == "":
		return c.print(out, order, files)
	default:
		return c.write(out, order, files)
	}
}

// print writes one rule file, whatever the number of SLOs: a file has one list of groups.
func (c generateCommand) print(out command.Output, order []string, files map[string][]byte) error {
	for i, name := range order {
		text := string(files[name])
		if i > 0 {
			text = "\n" + strings.Replace(text, "\ngroups:\n", "\n", 1)
		}
		if _, err := fmt.Fprint(out.Out, text); err != nil {
			return err
		}
	}
	return nil
}

func (c generateCommand) write(out command.Output, order []string, files map[string][]byte) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	for _, name := range order {
		if err := os.WriteFile(filepath.Join(c.Out, name), files[name], 0o644); err != nil {
			return err
		}
		fmt.Fprintf(out.Err, "wrote %s\n", filepath.Join(c.Out, name))
	}
	if !c.Prune {
		return nil
	}
	there, err := filepath.Glob(filepath.Join(c.Out, "slo-*.rules.yml"))
	if err != nil {
		return err
	}
	for _, path := range there {
		if _, wanted := files[filepath.Base(path)]; wanted {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		fmt.Fprintf(out.Err, "removed %s, which belongs to no SLO\n", path)
	}
	return nil
}

// load reads the files and folders that were named, or our own specs.
func load(named []string) ([]model.SLO, error) {
	if len(named) == 0 {
		return specs.Load()
	}
	var paths []string
	for _, name := range named {
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() {
			paths = append(paths, name) // what is not there says so when it is read
			continue
		}
		before := len(paths)
		for _, pattern := range []string{"*.yaml", "*.yml"} {
			found, err := filepath.Glob(filepath.Join(name, pattern))
			if err != nil {
				return nil, err
			}
			paths = append(paths, found...)
		}
		if len(paths) == before {
			return nil, fmt.Errorf("%s has no *.yaml or *.yml file", name)
		}
	}
	return openslo.Load(paths...)
}
