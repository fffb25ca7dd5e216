package images

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	// user is nobody's account on any machine; the number is what distroless images use.
	user = "65532:65532"
	// port is what every program of ours listens on in a cluster (docs/contracts.md, "On Kubernetes").
	port = "8080/tcp"
	// source is where the programs come from.
	source = "https://github.com/faultline-lab/faultline"
	// tagDigits is how much of the digest makes a tag.
	tagDigits = 12
)

// pack makes the image of one binary. Nothing in it depends on when or where it is made.
func pack(binary string, program Program, arch string) (Image, error) {
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return layerOf(binary, program.Name) },
		// It goes through a pipe of this machine: the time to compress is worth more than the bytes.
		tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return Image{}, err
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: arch, Created: v1.Time{Time: epoch()}, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: user, WorkingDir: "/", Entrypoint: []string{"/" + program.Name},
			ExposedPorts: map[string]struct{}{port: {}},
			Labels: map[string]string{
				"org.opencontainers.image.title":       program.Name,
				"org.opencontainers.image.description": program.About,
				"org.opencontainers.image.source":      source,
			},
		},
	})
	if err != nil {
		return Image{}, err
	}
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: epoch()}, CreatedBy: "deploy/images"},
	})
	if err != nil {
		return Image{}, err
	}
	// The digest of the configuration covers the uncompressed layers: it is what Docker calls the image's id.
	id, err := image.ConfigName()
	if err != nil {
		return Image{}, err
	}
	return Image{Program: program.Name, Name: Prefix + program.Name, Tag: id.Hex[:tagDigits], image: image}, nil
}

// layerOf streams the one layer: /tmp, and the program at the root.
func layerOf(binary, name string) (io.ReadCloser, error) {
	file, err := os.Open(binary)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	reader, writer := io.Pipe()
	go func() {
		defer func() { _ = file.Close() }()
		_ = writer.CloseWithError(write(writer, file, info.Size(), name)) // always returns nil
	}()
	return reader, nil
}

func write(to io.Writer, binary io.Reader, size int64, name string) error {
	archive := tar.NewWriter(to)
	headers := []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: epoch(), Format: tar.FormatUSTAR},
		{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: size, ModTime: epoch(), Format: tar.FormatUSTAR},
	}
	for _, header := range headers {
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
	}
	if _, err := io.Copy(archive, binary); err != nil {
		return err
	}
	return archive.Close()
}

// epoch is when everything in an image was made, since a true time would make each build another one.
func epoch() time.Time { return time.Unix(0, 0).UTC() }
