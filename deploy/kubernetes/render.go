package kubernetes

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

//go:embed base components overlays whole
var tree embed.FS

// Options say what to render.
type Options struct {
	// Overlay is one of Overlays.
	Overlay string
	// WithoutGrafana leaves it out, for a cluster that cannot have its image.
	WithoutGrafana bool
	// Images replaces images, by their name without a tag as `stack render` shows it, with whole references.
	Images map[string]string
}

// Overlays lists the overlays by name.
func Overlays() []string { return []string{"dev", "staging", "prod"} }

// Render makes the objects of an overlay, in the order in which they can be applied.
func Render(options Options) ([]*unstructured.Unstructured, error) {
	if !slices.Contains(Overlays(), options.Overlay) {
		return nil, fmt.Errorf("there is no overlay %q: use one of %s", options.Overlay, strings.Join(Overlays(), ", "))
	}
	files, err := load()
	if err != nil {
		return nil, err
	}
	if err := addGenerated(files, options.Overlay); err != nil {
		return nil, fmt.Errorf("overlay %s: %w", options.Overlay, err)
	}
	if options.WithoutGrafana {
		if err := leaveOut(files, options.Overlay, grafanaComponent); err != nil {
			return nil, fmt.Errorf("overlay %s: %w", options.Overlay, err)
		}
	}
	if err := finish(files, options); err != nil {
		return nil, err
	}
	kustomizer := krusty.MakeKustomizer(&krusty.Options{
		// The tree is our own, and in memory: there is nothing outside that it could read.
		LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig(),
	})
	resources, err := kustomizer.Run(files, "whole")
	if err != nil {
		return nil, fmt.Errorf("overlay %s: %w", options.Overlay, err)
	}
	objects := make([]*unstructured.Unstructured, 0, resources.Size())
	for _, resource := range resources.Resources() {
		object, err := decode(resource)
		if err != nil {
			return nil, fmt.Errorf("overlay %s: %s: %w", options.Overlay, resource.CurId(), err)
		}
		objects = append(objects, object)
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return phase(a) - phase(b) })
	return objects, nil
}

// load copies the embedded tree to where kustomize can read it.
func load() (filesys.FileSystem, error) {
	files := filesys.MakeFsInMemory()
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := tree.ReadFile(name)
		if err != nil {
			return err
		}
		return files.WriteFile(name, data)
	})
	return files, err
}

// addGenerated puts the overlay's component "generated" beside its own files, and that of Grafana beside Grafana's.
func addGenerated(files filesys.FileSystem, overlay string) error {
	dir := path.Join("overlays", overlay)
	at := path.Join(dir, "settings.yaml")
	data, err := files.ReadFile(at)
	if err != nil {
		return err
	}
	set, err := parseSettings(at, data)
	if err != nil {
		return err
	}
	for owner, generate := range map[string]func() (map[string][]byte, error){
		dir: set.generate, path.Join("components", grafanaComponent): set.grafana,
	} {
		generated, err := generate()
		if err != nil {
			return err
		}
		for name, content := range generated {
			if err := files.WriteFile(path.Join(owner, "generated", name), content); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaveOut takes a component out of an overlay.
func leaveOut(files filesys.FileSystem, overlay, component string) error {
	at := path.Join("overlays", overlay, "kustomization.yaml")
	data, err := files.ReadFile(at)
	if err != nil {
		return err
	}
	var kustomization types.Kustomization
	if err := yaml.UnmarshalStrict(data, &kustomization); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	kustomization.Components = slices.DeleteFunc(kustomization.Components, func(name string) bool { return path.Base(name) == component })
	if data, err = yaml.Marshal(kustomization); err != nil {
		return err
	}
	return files.WriteFile(at, data)
}

const wholeFile = "whole/kustomization.yaml"

// finish names the overlay and the caller's images in whole/kustomization.yaml.
func finish(files filesys.FileSystem, options Options) error {
	data, err := files.ReadFile(wholeFile)
	if err != nil {
		return err
	}
	var whole types.Kustomization
	if err := yaml.UnmarshalStrict(data, &whole); err != nil {
		return fmt.Errorf("%s: %w", wholeFile, err)
	}
	whole.Resources = []string{path.Join("..", "overlays", options.Overlay)}
	replaced, err := replacements(whole.Images, options.Images)
	if err != nil {
		return err
	}
	whole.Images = append(whole.Images, replaced...)
	if data, err = yaml.Marshal(whole); err != nil {
		return err
	}
	return files.WriteFile(wholeFile, data)
}

// replacements are the caller's images; each must be one that there is.
func replacements(known []types.Image, wanted map[string]string) ([]types.Image, error) {
	var names []string
	for _, image := range known {
		names = append(names, image.Name)
	}
	var images []types.Image
	for name, reference := range wanted {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no image %q to replace: there are %s", name, strings.Join(names, ", "))
		}
		image, err := parseImage(reference)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", name, err)
		}
		image.Name = name
		images = append(images, image)
	}
	return images, nil
}

// parseImage splits a reference. It must say which image exactly: what is called latest is another one tomorrow.
func parseImage(reference string) (types.Image, error) {
	name, digest, _ := strings.Cut(reference, "@")
	tag := ""
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name, tag = name[:colon], name[colon+1:]
	}
	if name == "" || tag == "latest" || (tag == "" && digest == "") {
		return types.Image{}, fmt.Errorf("%q does not say which one: give NAME:TAG or NAME@sha256:DIGEST, and not latest", reference)
	}
	if digest != "" {
		tag = "" // the digest decides; kustomize takes one of the two
	}
	return types.Image{NewName: name, NewTag: tag, Digest: digest}, nil
}

func decode(resource interface{ AsYAML() ([]byte, error) }) (*unstructured.Unstructured, error) {
	text, err := resource.AsYAML()
	if err != nil {
		return nil, err
	}
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(data)
}

// YAML writes the objects as one document each, for `kubectl apply --server-side -f -`.
func YAML(objects []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	for i, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", describe(object), err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// Namespace is the one that the objects are in; empty when there is none among them.
func Namespace(objects []*unstructured.Unstructured) string {
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			return object.GetName()
		}
	}
	return ""
}

// describe names an object as a person would.
func describe(object *unstructured.Unstructured) string {
	return object.GetKind() + "/" + object.GetName()
}

var errNoNamespace = errors.New("there is no Namespace among the objects: render an overlay")
