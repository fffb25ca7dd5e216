package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/faultline-lab/faultline/deploy/images"
	"github.com/faultline-lab/faultline/deploy/kubernetes"
	"github.com/faultline-lab/faultline/observability/command"
)

// renderCmd is `stack render`.
type renderCmd struct {
	Overlay string            `arg:"" enum:"dev,staging,prod" help:"${enum}."`
	Image   map[string]string `placeholder:"NAME=REFERENCE" help:"Use another image, for example faultline.dev/orders=registry.example/orders:1.2. May be repeated. Staging and prod need one for each program of ours."`
}

// Run is called by kong.
func (c *renderCmd) Run(out command.Output) error {
	objects, err := kubernetes.Render(kubernetes.Options{Overlay: c.Overlay, Images: c.Image})
	if err != nil {
		return err
	}
	// On kind, `stack kind up` puts the images that it built in the place of those of dev.
	if nowhere := c.nowhere(objects); c.Overlay != "dev" && len(nowhere) > 0 {
		return fmt.Errorf("no registry has %s: push them to yours (`stack images FILE` writes them for docker load), "+
			"and say for each --image NAME=REFERENCE", strings.Join(nowhere, ", "))
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

// nowhere are the images of ours among the objects for which the caller gave none.
func (c *renderCmd) nowhere(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, object := range objects {
		containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
		for _, container := range containers {
			fields, _ := container.(map[string]any)
			reference, _ := fields["image"].(string)
			name, _, _ := strings.Cut(reference, ":")
			if _, given := c.Image[name]; strings.HasPrefix(name, images.Prefix) && !given {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
