package postgres

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/faultline-lab/faultline/deploy/local/runas"
)

// Spec is how to run the server as a child process in the foreground. It logs to stderr.
type Spec struct {
	Path string
	Args []string // without the program's name
	Env  []string // the whole environment
	Dir  string
	// Credential is nil when the server runs as whoever we are.
	Credential *syscall.Credential
	// StopSignal is the fast shutdown: sessions are ended, the data is left in order.
	StopSignal os.Signal
	// DeathSignal is for the case that the supervisor dies: the immediate shutdown. Unlike after SIGKILL the server's own
	// children end with it at once.
	DeathSignal syscall.Signal
}

// Command is how to run the server that Init made.
func Command(cfg Config) (Spec, error) {
	cfg, err := cfg.prepared()
	if err != nil {
		return Spec{}, err
	}
	user, err := runas.Unprivileged()
	if err != nil {
		return Spec{}, err
	}
	return Spec{
		Path:        filepath.Join(cfg.Installation.BinDir, "postgres"),
		Args:        []string{"-D", cfg.DataDir, "-p", strconv.Itoa(cfg.Port)},
		Env:         environment(),
		Dir:         cfg.DataDir,
		Credential:  user.Credential(),
		StopSignal:  syscall.SIGINT,
		DeathSignal: syscall.SIGQUIT,
	}, nil
}
