package runner

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	keeperName = "chaos"
	// keeperStart is how long a keeper may take to begin, keeperEnd to end once there is nothing to keep.
	keeperStart = 10 * time.Second
	keeperEnd   = 5 * time.Second
	// KeeperReady is the line by which a keeper says that it watches.
	KeeperReady = "ready"
)

// keeper is a process beside the runner's, in a session of its own, that takes the fault away when its time to live is over
// or this process has died. It learns of the death from the end of its standard input: no signal can keep that from it.
type keeper struct {
	command *exec.Cmd
	alive   io.WriteCloser
	ended   chan struct{}
}

// startKeeper starts `chaos keep` and returns once it watches. Nothing may be injected before.
func startKeeper(ctx context.Context, program, stackFile, id string) (*keeper, error) {
	path, err := findKeeper(program, stackFile)
	if err != nil {
		return nil, err
	}
	file, err := filepath.Abs(stackFile)
	if err != nil {
		return nil, err
	}
	// Not CommandContext: what ends this process must not end the keeper.
	command := exec.Command(path, "keep", "--stack-file="+file, id) //nolint:noctx // it outlives every context of ours
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	says, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("the keeper of the fault cannot be started: %w", err)
	}
	k := &keeper{command, alive, make(chan struct{})}
	ready := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(says).ReadString('\n')
		if err == nil && strings.TrimSpace(line) != KeeperReady {
			err = fmt.Errorf("it says %q", line)
		}
		ready <- err
		_ = command.Wait() // how it ends, it tells in the stack's logs
		close(k.ended)
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(keeperStart):
		err = fmt.Errorf("it is not ready after %s", keeperStart)
	}
	if err != nil {
		k.dismiss()
		return nil, fmt.Errorf("%s keep: %w: without a keeper nothing would end the fault if this process died", path, err)
	}
	return k, nil
}

// findKeeper looks for the program where it can be: this program itself, beside it, among the checkout's binaries, on PATH.
func findKeeper(program, stackFile string) (string, error) {
	if program != "" {
		return program, nil
	}
	var places []string
	if own, err := os.Executable(); err == nil {
		if filepath.Base(own) == keeperName {
			return own, nil
		}
		places = append(places, filepath.Join(filepath.Dir(own), keeperName))
	}
	places = append(places, filepath.Join(filepath.Dir(stackFile), "..", "bin", keeperName))
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() {
			return filepath.Abs(place)
		}
	}
	path, err := exec.LookPath(keeperName)
	if err != nil {
		return "", errors.New("there is no program chaos that could keep the fault (not beside this program, " +
			"not among the checkout's, not on PATH): `make build` makes it")
	}
	return path, nil
}

// dismiss tells the keeper that this process is done, and waits for its end for a while: with the record gone it has nothing
// to keep. One that keeps a kept fault goes on, so nobody waits for it.
func (k *keeper) dismiss() {
	_ = k.alive.Close()
	select {
	case <-k.ended:
	case <-time.After(keeperEnd):
	}
}

// leave tells the keeper that this process is done, and that the fault stays.
func (k *keeper) leave() { _ = k.alive.Close() }
