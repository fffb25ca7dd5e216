package toolchain

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// Grafana is the one program that the stack uses when it is there and does without otherwise: it can be installed by a
// package manager, and not be built from its Go module.
type Grafana struct {
	Tool
	Home string // its pages and defaults
}

// GrafanaAbsent is said, once, where there is none.
const GrafanaAbsent = "no Grafana 11 or later on PATH: the stack runs without one (docs/dashboards.md)"

// grafanaSpec is what is accepted from PATH. Since version 9.4 one binary has all of Grafana's commands.
func grafanaSpec() spec {
	return spec{
		name: "grafana", binary: "grafana", versionArgs: []string{"--version"}, version: afterVersion, minimum: release{11, 0, 0},
	}
}

// FindGrafana finds a Grafana on PATH in a version that shows our dashboards; nil where there is none. One that is passed
// over is mentioned in opts.Progress.
func FindGrafana(ctx context.Context, opts Options) (*Grafana, error) {
	if opts.LookPath == nil {
		opts.LookPath = exec.LookPath
	}
	line := progress.New(opts.Progress)
	// It has neither cache nor pins, and without a Go toolchain nobody looks for them.
	finder := &finder{lookPath: opts.LookPath, line: line, goErr: ErrNoGo}
	tool, ok, err := finder.find(ctx, grafanaSpec(), line.Print)
	if err != nil || !ok {
		return nil, err
	}
	home, ok := grafanaHome(tool.Path)
	if !ok {
		line.Print("grafana: %s is not used: its folder with conf/defaults.ini is not where archives and packages put it", tool.Path)
		return nil, nil
	}
	// What packages put on PATH is a script that adds the system's own settings; the program itself lies in its home.
	if inside := filepath.Join(home, "bin", "grafana"); isProgram(inside) {
		tool.Path = inside
	}
	return &Grafana{Tool: tool, Home: home}, nil
}

// grafanaHome looks where archives, Debian's and Red Hat's packages, and Homebrew put it.
func grafanaHome(binary string) (string, bool) {
	if target, err := filepath.EvalSymlinks(binary); err == nil {
		binary = target
	}
	above := filepath.Dir(filepath.Dir(binary))
	for _, home := range []string{above, filepath.Join(above, "share", "grafana")} {
		if _, err := os.Stat(filepath.Join(home, "conf", "defaults.ini")); err == nil {
			return home, true
		}
	}
	return "", false
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
