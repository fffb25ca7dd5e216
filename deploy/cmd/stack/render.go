package main

import (
	"fmt"

	"github.com/faultline-lab/faultline/deploy/kubernetes"
	"github.com/faultline-lab/faultline/observability/command"
)

// renderCmd is `stack render`.
type renderCmd struct {
	Overlay string            `arg:"" enum:"dev,staging,prod" help:"${enum}."`
	Image   map[string]string `placeholder:"NAME=REFERENCE" help:"Use another image, for example faultline.dev/orders=registry.example/orders:1.2. May be repeated."`
}

// Run is called by kong.
func (c *renderCmd) Run(out command.Output) error {
	objects, err := kubernetes.Render(kubernetes.Options{Overlay: c.Overlay, Images: c.Image})
	if err != nil {
		return err
	}
	text, err := kubernetes.YAML(objects)
	if err != nil {
		return err
	}
	if _, err := out.Out.Write(text); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
