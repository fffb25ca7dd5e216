package images

import (
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Archive writes the images as one archive, as `docker save` does; `docker load` and containerd read it.
func Archive(w io.Writer, images []Image) error {
	tagged := make(map[name.Reference]v1.Image, len(images))
	for _, image := range images {
		ref, err := name.NewTag(image.Ref(), name.StrictValidation)
		if err != nil {
			return fmt.Errorf("the name of the image of %s: %w", image.Program, err)
		}
		tagged[ref] = image.image
	}
	return tarball.MultiRefWrite(tagged, w)
}
