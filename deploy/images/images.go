package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Prefix begins the name of every image of ours, as the manifests in deploy/kubernetes write it.
const Prefix = "faultline.dev/"

// Config says what to make.
type Config struct {
	Root string // the checkout; required
	// Dir keeps the binaries between runs; default: .faultline/images in the checkout.
	Dir string
	// Arch is the processor of the engine, as Go names it; default: this machine's.
	Arch string
	// Programs are those to make; default: all.
	Programs []Program
	// NoBuild takes the binaries that an earlier run left in Dir.
	NoBuild bool
	// Progress takes what go says while it compiles. Default: nowhere.
	Progress io.Writer
}

// Program is one of our commands.
type Program struct {
	Name    string // of the binary, and after Prefix of the image
	Package string // relative to the checkout
	About   string // one sentence for the image's label
}

// Programs are those that run in a cluster, and releases that can be rolled out there.
func Programs() []Program {
	return []Program{
		{"storefront", "./apps/cmd/storefront", "Faultline's edge: it takes checkouts and balances over the replicas of orders."},
		{"orders", "./apps/cmd/orders", "Faultline's orders: they are placed in a transaction over a Postgres pool."},
		{"inventory", "./apps/cmd/inventory", "Faultline's inventory: products, stock and reservations."},
		{"payments", "./apps/cmd/payments", "Faultline's payments: a simulated provider."},
		{"loadgen", "./apps/cmd/loadgen", "Faultline's customers: an open-loop load, and the view that decides recovery."},
		{"autoheal", "./autoheal/cmd/autoheal", "Faultline's healer: from an alert to a proven remedy."},
		{"orders-v2", "./apps/cmd/orders-v2", "Faultline's orders, release v2: with loyalty points."},
	}
}

// Image is one program as an image.
type Image struct {
	Program string
	Name    string // faultline.dev/orders
	Tag     string // the first 12 digits of the content's digest, so that a tag never changes its meaning
	image   v1.Image
}

// Ref is the name with its tag.
func (i Image) Ref() string { return i.Name + ":" + i.Tag }

func (c *Config) defaults() error {
	if c.Root == "" {
		return errors.New("images: the root of the checkout is required")
	}
	if c.Dir == "" {
		c.Dir = filepath.Join(c.Root, ".faultline", "images")
	}
	if c.Arch == "" {
		c.Arch = runtime.GOARCH
	}
	if len(c.Programs) == 0 {
		c.Programs = Programs()
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return nil
}

// binaries is the folder of the binaries for the architecture.
func (c *Config) binaries() string { return filepath.Join(c.Dir, "linux-"+c.Arch) }

// Build compiles the programs and makes their images. Nothing is written but the binaries in Dir; Archive hands the
// images on.
func Build(ctx context.Context, cfg Config) ([]Image, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	if !cfg.NoBuild {
		if err := compile(ctx, cfg); err != nil {
			return nil, err
		}
	}
	made := make([]Image, 0, len(cfg.Programs))
	for _, program := range cfg.Programs {
		image, err := pack(filepath.Join(cfg.binaries(), program.Name), program, cfg.Arch)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is no %s from an earlier build: build it, without --no-build", err, program.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("the image of %s: %w", program.Name, err)
		}
		made = append(made, image)
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
	}
	return made, nil
}
