package main

import (
	"fmt"

	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/mesh"
	"github.com/faultline-lab/faultline/observability/command"
)

type renderCommand struct {
	Experiment string `arg:"" help:"Name of an experiment, or a file."`
	Namespace  string `default:"faultline" help:"Namespace of the shop: the resource is made there, and reaches no other."`
}

// Run prints the Chaos Mesh resource that carries the experiment's fault, for kubectl apply. It needs no cluster.
func (c renderCommand) Run(out command.Output) error {
	e, err := experiments.Find(c.Experiment)
	if err != nil {
		return err
	}
	resource, err := mesh.Translate(e, mesh.Place{Namespace: c.Namespace})
	if err != nil {
		return err
	}
	document, err := mesh.YAML(resource)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out.Out, "# %s. Nobody checks the steady state, and nobody stops it: it is over after %s.\n%s",
		e.Title, e.Duration.Duration, document)
	return err
}
