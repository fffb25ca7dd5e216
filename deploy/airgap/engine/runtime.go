package engine

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/airgap/pause"
)

// runc is our runtime: the usual one, asked for a capability less.
//
//go:embed runc.sh
var runc string

const (
	runtimeName   = "faultline-runc"
	runtimePath   = "/usr/local/sbin/" + runtimeName
	configuration = "/etc/docker/daemon.json"
	pidFile       = "/var/run/docker.pid"

	// capSysResource is its bit in a set of capabilities.
	capSysResource = 24
	// reloadWithin bounds how long an engine takes to read its configuration again.
	reloadWithin = 30 * time.Second
)

// lacksResource reads in /proc/1/status whether anybody on this machine can have CAP_SYS_RESOURCE.
func lacksResource(status string) (bool, error) {
	for line := range strings.Lines(status) {
		set, found := strings.CutPrefix(line, "CapBnd:")
		if !found {
			continue
		}
		bits, err := strconv.ParseUint(strings.TrimSpace(set), 16, 64)
		return bits>>capSysResource&1 == 0, err
	}
	return false, errors.New("/proc/1/status has no CapBnd")
}

// daemonJSON is the engine's configuration with our runtime.
func daemonJSON() []byte {
	text, err := json.MarshalIndent(map[string]any{
		"default-runtime": runtimeName,
		"runtimes":        map[string]any{runtimeName: map[string]string{"path": runtimePath}},
	}, "", "  ")
	if err != nil { // strings in maps always can
		panic(err)
	}
	return append(text, '\n')
}

// installRuntime makes ours the default one. A configuration that is not ours stays as it is.
func (s *setup) installRuntime(ctx context.Context, engine docker.Engine) error {
	if err := s.mustBeRoot("to give Docker another runtime"); err != nil {
		return err
	}
	if err := s.writeRuntime(); err != nil {
		return err
	}
	pid, err := os.ReadFile(s.at(pidFile))
	if err != nil {
		return fmt.Errorf("the engine has to be restarted for its new configuration in %s, and its process is not known: %w",
			configuration, err)
	}
	number, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err != nil {
		return fmt.Errorf("%s: %w", pidFile, err)
	}
	if err := syscall.Kill(number, syscall.SIGHUP); err != nil {
		return fmt.Errorf("telling dockerd to read its configuration again: %w", err)
	}
	s.changed("Docker starts containers with "+runtimePath+", runc without CAP_SYS_RESOURCE, as "+configuration+" says",
		fmt.Sprintf("rm %s %s; kill -HUP $(cat %s)", configuration, runtimePath, pidFile))

	deadline := time.Now().Add(reloadWithin)
	for time.Now().Before(deadline) {
		name, err := engine.Output(ctx, "info", "--format={{.DefaultRuntime}}")
		if err != nil || name == runtimeName {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
	return fmt.Errorf("dockerd did not take up %s: restart it", configuration)
}

// writeRuntime writes both files, each whole or not at all.
func (s *setup) writeRuntime() error {
	had, err := os.ReadFile(s.at(configuration))
	switch {
	case err == nil && !bytes.Equal(had, daemonJSON()):
		return fmt.Errorf("%s exists and is not ours, so it was not touched. Add to it\n%sand the runtime itself, which is "+
			"deploy/airgap/engine/runc.sh, as %s; then reload Docker", configuration, daemonJSON(), runtimePath)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := replace(s.at(runtimePath), []byte(runc), 0o755); err != nil {
		return err
	}
	return replace(s.at(configuration), daemonJSON(), 0o644)
}

func replace(path string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, data, mode); err != nil {
		return err
	}
	return errors.Join(os.Chmod(part, mode), os.Rename(part, path))
}

// probe starts a privileged container, and ends it.
func probe(ctx context.Context, engine docker.Engine) (err error) {
	dir, err := os.MkdirTemp("", "faultline-probe-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program, err := pause.Build(ctx, dir)
	if err != nil {
		return err
	}
	ref := fmt.Sprintf("faultline.local/probe:%d", os.Getpid())
	if err := engine.Build(ctx, ref, docker.Recipe{
		Dockerfile: "FROM scratch\nCOPY pause /pause\nENTRYPOINT [\"/pause\"]\n",
		Files:      []docker.File{{Name: "pause", Mode: 0o755, Path: program}},
	}); err != nil {
		return err
	}
	name := fmt.Sprintf("faultline-probe-%d", os.Getpid())
	defer func() {
		after := context.WithoutCancel(ctx)
		_, removed := engine.Output(after, "rm", "--force", "--volumes", name)
		_, untagged := engine.Output(after, "image", "rm", "--force", ref)
		if err == nil {
			err = errors.Join(removed, untagged)
		}
	}()
	_, err = engine.Output(ctx, "run", "--detach", "--privileged", "--network=none", "--name="+name, ref)
	return err
}
