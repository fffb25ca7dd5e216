package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"

	"github.com/faultline-lab/faultline/deploy/images"
)

// loadAtOnce is how many archives go to the node at the same time: unpacking one keeps about one core busy.
const loadAtOnce = 3

// cargo is what the node shall have and lacks.
type cargo struct {
	ours    []images.Image
	foreign []string
}

// missing is what of it the node lacks. A tag of ours never changes its meaning. What is named by a digest has no name in
// an archive: the node fetches it itself.
func (c cargo) missing(there []string) cargo {
	return cargo{
		ours: slices.DeleteFunc(slices.Clone(c.ours), func(image images.Image) bool { return slices.Contains(there, image.Ref()) }),
		foreign: slices.DeleteFunc(slices.Clone(c.foreign), func(ref string) bool {
			return slices.Contains(there, ref) || strings.Contains(ref, "@")
		}),
	}
}

func (c cargo) size() int { return len(c.ours) + len(c.foreign) }

// bring loads all of it into the node.
func (c cargo) bring(ctx context.Context, engine *engine, node nodes.Node) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loadAtOnce)
	for _, ref := range c.foreign { // these are the larger ones
		group.Go(func() error {
			return load(ctx, node, func(to io.Writer) error { return engine.save(ctx, to, []string{ref}) })
		})
	}
	for share := range slices.Chunk(c.ours, loadAtOnce) {
		group.Go(func() error {
			return load(ctx, node, func(to io.Writer) error { return images.Archive(to, share) })
		})
	}
	return group.Wait()
}

// load streams an archive into the node. The end of ctx breaks the stream off: kind's own commands know none.
func load(ctx context.Context, node nodes.Node, archive func(io.Writer) error) error {
	reader, writer := io.Pipe()
	defer context.AfterFunc(ctx, func() { _ = writer.CloseWithError(context.Cause(ctx)) })() // closing always returns nil
	written := make(chan error, 1)
	go func() {
		err := archive(writer)
		written <- err
		_ = writer.CloseWithError(err) // always returns nil
	}()
	err := nodeutils.LoadImageArchive(node, reader)
	_ = reader.Close() // so that the writer ends, also when nobody read to the end; always returns nil
	if writeErr := <-written; writeErr != nil && err == nil {
		err = writeErr
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("loading images into the node: %w%s", err, saidBy(err))
	}
	return nil
}

// imagesOn lists the tags that a node has.
func imagesOn(node nodes.Node) ([]string, error) {
	var out strings.Builder
	if err := node.Command("crictl", "images", "--output", "json").SetStdout(&out).Run(); err != nil {
		return nil, fmt.Errorf("the images of the node: %w%s", err, saidBy(err))
	}
	var listed struct {
		Images []struct {
			RepoTags []string `json:"repoTags"`
		} `json:"images"`
	}
	if err := json.Unmarshal([]byte(out.String()), &listed); err != nil {
		return nil, fmt.Errorf("the images of the node: %w", err)
	}
	var tags []string
	for _, image := range listed.Images {
		tags = append(tags, image.RepoTags...)
	}
	return tags, nil
}

// foreign lists the images in the manifests that are not ours.
func foreign(objects []*unstructured.Unstructured) []string {
	var refs []string
	for _, object := range objects {
		for _, list := range []string{"initContainers", "containers"} {
			// An object of another kind has no such field.
			containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", list)
			for _, container := range containers {
				fields, _ := container.(map[string]any)
				if ref, ok := fields["image"].(string); ok && !strings.HasPrefix(ref, images.Prefix) {
					refs = append(refs, ref)
				}
			}
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}
