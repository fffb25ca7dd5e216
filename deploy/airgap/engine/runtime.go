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
	if err := s.reload(); err != nil {
		return err
	}
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

// reload has dockerd read its configuration again. Its file may name a process that has ended, and whose number another
// one has: a SIGHUP would end that.
func (s *setup) reload() error {
	restart := fmt.Sprintf("restart dockerd for its new configuration in %s: its process is not known", configuration)
	text, err := os.ReadFile(s.at(pidFile))
	if err != nil {
		return fmt.Errorf("%s: %w", restart, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return fmt.Errorf("%s: %s holds %q", restart, pidFile, text)
	}
	command, err := os.ReadFile(s.at(fmt.Sprintf("proc/%d/comm", pid)))
	if err != nil {
		return fmt.Errorf("%s: %w", restart, err)
	}
	if name := strings.TrimSpace(string(command)); name != "dockerd" {
		return fmt.Errorf("%s: %s names process %d, which is %s", restart, pidFile, pid, name)
	}
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		return fmt.Errorf("telling dockerd to read its configuration again: %w", err)
	}
	return nil
}

// undoConfiguration goes by way of a configuration that names the usual runtime: without any, dockerd would keep ours until
// its next start. It works where dockerd runs, where it was never told, and where it is gone.
var undoConfiguration = strings.NewReplacer("CONFIGURATION", configuration, "PID", pidFile).Replace(
	`echo '{"default-runtime": "runc"}' >CONFIGURATION; kill -HUP $(cat PID); for i in 1 2 3 4 5 6 7 8 9 10; do ` +
		`docker info --format '{{.DefaultRuntime}}' | grep -qx runc && break; sleep 1; done; rm CONFIGURATION`)

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
	if err := s.bring(runtimePath, []byte(runc), 0o755, "runc without CAP_SYS_RESOURCE, as "+runtimePath,
		"rm "+runtimePath+" # once the containers that were made with it are gone: they need it"); err != nil {
		return err
	}
	return s.bring(configuration, daemonJSON(), 0o644, configuration+": Docker starts containers with "+runtimePath, undoConfiguration)
}

// bring writes a file that is not there, or is another one, and notes that at once.
func (s *setup) bring(path string, data []byte, mode fs.FileMode, what, undo string) error {
	if had, err := os.ReadFile(s.at(path)); err == nil && bytes.Equal(had, data) {
		return os.Chmod(s.at(path), mode)
	}
	if err := replace(s.at(path), data, mode); err != nil {
		return err
	}
	s.changed("wrote "+what, undo)
	return nil
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
