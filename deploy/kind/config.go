package kind

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/ports"
)

const (
	// clusterVariable names the cluster in the environment.
	clusterVariable = "FAULTLINE_CLUSTER"
	// defaultCluster is the cluster's name of the contract (docs/contracts.md, "On Kubernetes").
	defaultCluster = "faultline"
	// overlay is what a kind cluster gets: the only one with node ports.
	overlay = "dev"
)

// Config says which cluster and how.
type Config struct {
	Root string // the checkout; required
	// Cluster is the cluster's name; default: FAULTLINE_CLUSTER, else the one that this checkout has, else faultline. Own finds
	// the one that a checkout has, whatever the environment says.
	Cluster string
	// Ports are those of the host; default: the contract's, as the environment changes them.
	Ports ports.Set
	// NodeImage is taken for the node instead of one that is looked for. Airgapped says that it is of deploy/airgap's
	// kind: it brings its own pod network.
	NodeImage string
	Airgapped bool
	// Explicit says that somebody asked for kind by name: where no registry answers, the images are built, which takes
	// minutes.
	Explicit bool
	// NoBuild takes our programs as they were built the last time.
	NoBuild bool
	// ReadyWithin is how long the stack may take from being applied to being ready; default 5 min.
	ReadyWithin time.Duration
	// Progress takes lines for people. Default: nowhere.
	Progress io.Writer
}

func (c *Config) defaults() (files, error) {
	if c.Root == "" {
		return files{}, errors.New("kind: the root of the checkout is required")
	}
	paths, err := folders.In(c.Root)
	if err != nil {
		return files{}, err
	}
	at := filesOf(paths)
	c.Root = paths.Root
	if c.Ports == nil {
		if c.Ports, err = ports.FromEnv(os.Environ()); err != nil {
			return at, err
		}
	}
	if c.Cluster == "" {
		known, err := at.recorded()
		if err != nil {
			return at, err
		}
		c.Cluster = cmp.Or(os.Getenv(clusterVariable), known, defaultCluster)
	}
	c.ReadyWithin = cmp.Or(c.ReadyWithin, 5*time.Minute)
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return at, nil
}

// files are the paths of a checkout with those of its cluster.
type files struct {
	folders.Folders
	kubeconfig string
	record     string // of the cluster that this checkout made
}

func filesOf(paths folders.Folders) files {
	return files{
		Folders: paths, kubeconfig: filepath.Join(paths.Run, "kubeconfig"), record: filepath.Join(paths.Run, "cluster.json"),
	}
}
