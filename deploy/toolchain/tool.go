// Package toolchain finds the programs of the observability stack on this machine, or builds them from pinned Go
// modules (deploy/tools) into a cache of the user's.
package toolchain

import (
	"io"
	"os/exec"
	"time"

	"github.com/faultline-lab/faultline/deploy/toolchain/cache"
)

// Name is one program of the stack.
type Name string

// The programs. Promtool is only needed to check rules, so it is asked for separately from Prometheus.
const (
	Prometheus   Name = "prometheus"
	Promtool     Name = "promtool"
	Alertmanager Name = "alertmanager"
	Loki         Name = "loki"
	Jaeger       Name = "jaeger"
	Toxiproxy    Name = "toxiproxy"
	// GolangciLint checks our own code (make lint); the stack does not need it.
	GolangciLint Name = "golangci-lint"
)

// Origin says where a program came from.
type Origin string

// The origins.
const (
	FromPath  Origin = "PATH"  // a package manager's, in a version that serves
	FromCache Origin = "cache" // built earlier
	Built     Origin = "built" // built just now
)

// Tool is one program that is ready to run.
type Tool struct {
	Name    Name
	Path    string // absolute
	Version string // the program's release, without a leading v
	Origin  Origin
	Took    time.Duration // to find or to build, waiting for another build included
}

// Options are optional, all of them.
type Options struct {
	// CacheDir holds what was built. Default: FAULTLINE_CACHE_DIR, else faultline in the user's cache folder.
	CacheDir string
	// Progress shows what a build is doing: one line rewritten on a terminal, a line now and then elsewhere.
	// Default: nowhere.
	Progress io.Writer
	// LookPath finds a program on PATH. Default: exec.LookPath.
	LookPath func(string) (string, error)
}

func (o Options) defaults() (Options, error) {
	dir, err := cache.Dir(o.CacheDir)
	if err != nil {
		return o, err
	}
	o.CacheDir = dir
	if o.LookPath == nil {
		o.LookPath = exec.LookPath
	}
	return o, nil
}
