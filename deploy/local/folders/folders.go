// Package folders knows where things are in a checkout's .faultline folder (docs/contracts.md, "Files").
package folders

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Folders are the absolute paths in one checkout.
type Folders struct {
	Root string // the checkout
	Bin  string // our binaries
	Run  string
	// State has one folder for each process, Logs one file.
	State, Logs string

	Lock         string
	Stack        string // stack.json
	WebhookToken string
	ControlToken string
	// EdgeControlToken is that of storefront's control port.
	EdgeControlToken string
	// APIToken is that of people who tell the healer something.
	APIToken string
	Chaos    string // a folder: the experiments that are active
}

// In returns the paths in the checkout at root; nothing is made.
func In(root string) (Folders, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Folders{}, err
	}
	run := filepath.Join(root, ".faultline", "run")
	return Folders{
		Root: root, Bin: filepath.Join(root, ".faultline", "bin"), Run: run,
		State: filepath.Join(run, "state"), Logs: filepath.Join(root, ".faultline", "logs"),
		Lock: filepath.Join(run, "lock"), Stack: filepath.Join(root, endpoints.DefaultFile),
		WebhookToken: filepath.Join(run, "webhook-token"), ControlToken: filepath.Join(run, "control-token"),
		EdgeControlToken: filepath.Join(run, "edge-control-token"),
		APIToken:         filepath.Join(run, "api-token"),
		Chaos:            filepath.Join(run, "chaos"),
	}, nil
}

// FindRoot returns the nearest folder from start upwards that has a go.work.
func FindRoot(start string) (string, error) {
	start, err := filepath.Abs(start)
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.work")); err == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("no go.work in %s or above it: run this inside the checkout, or name it with --root", start)
		}
	}
}

// Make makes the folders that have to be there before anything else.
func (f Folders) Make() error {
	for _, folder := range []string{f.Run, f.State, f.Logs} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("%w: the stack keeps its files in .faultline, which must be writable", err)
		}
	}
	return nil
}

// Log is the log file of one process.
func (f Folders) Log(process string) string { return filepath.Join(f.Logs, process+".log") }

// The logs that are not of a process of the stack.
const (
	SupervisorLog = "supervisor" // what the supervisor has to say
	GuardLog      = "guard"
	UpLog         = "up" // the progress of a detached start
)

// Forget removes what says that a stack runs, and its working files; logs stay. Only the holder of the lock may.
func (f Folders) Forget() error {
	return errors.Join(os.RemoveAll(f.State), os.RemoveAll(f.Chaos),
		removeIfThere(f.Stack), removeIfThere(f.WebhookToken), removeIfThere(f.ControlToken), removeIfThere(f.EdgeControlToken),
		removeIfThere(f.APIToken))
}

// Wipe removes what the last run left: working files, logs, addresses. Only the holder of the lock may.
func (f Folders) Wipe() error {
	errs := []error{f.Forget(), os.MkdirAll(f.State, 0o700)}
	logs, err := filepath.Glob(filepath.Join(f.Logs, "*.log"))
	errs = append(errs, err)
	for _, log := range logs {
		if name := strings.TrimSuffix(filepath.Base(log), ".log"); name != UpLog { // that one is being written
			errs = append(errs, removeIfThere(log))
		}
	}
	return errors.Join(errs...)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
