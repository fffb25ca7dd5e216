package postgres

import (
	"bytes"
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

	"github.com/faultline-lab/faultline/deploy/local/runas"
)

// inheritedFile is how a program names the first file that it inherits beside its standard ones.
const inheritedFile = "/dev/fd/3"

// Init makes a new server in cfg.DataDir, which must not exist or be empty, and its settings. As root it does so as the
// unprivileged user, who then owns the folder. When it fails it leaves no folder behind.
func Init(ctx context.Context, cfg Config) error {
	cfg, err := cfg.prepared()
	if err != nil {
		return err
	}
	user, err := runas.Unprivileged()
	if err != nil {
		return err
	}
	if err := makeDataDir(cfg.DataDir, user); err != nil {
		return err
	}
	if err := fill(ctx, cfg, user); err != nil {
		return errors.Join(err, discard(cfg.DataDir))
	}
	return nil
}

func fill(ctx context.Context, cfg Config, user *runas.User) error {
	password, err := passwordFile(cfg.Passwords.Superuser, user)
	if err != nil {
		return fmt.Errorf("password for initdb: %w", err)
	}
	defer password.Close()

	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(cfg.Installation.BinDir, "initdb"), initdbArgs(cfg)...)
	cmd.ExtraFiles = []*os.File{password} // becomes inheritedFile
	cmd.Dir, cmd.Env = cfg.DataDir, environment()
	cmd.Stdout = io.MultiWriter(cfg.Log, &said)
	cmd.Stderr = cmd.Stdout
	cmd.SysProcAttr = sysProcAttr(user.Credential())
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("initdb: %w", context.Cause(ctx))
		}
		return initdbError(err, said.String())
	}
	return nil
}

// initdbError shows initdb's last words, and what they mean where they do not say.
func initdbError(err error, said string) error {
	err = fmt.Errorf("initdb failed (%w):\n%s", err, lastLines(said, 8))
	if strings.Contains(said, "could not look up effective user ID") {
		return fmt.Errorf("%w\nPostgreSQL wants its user to have a name: add uid %d to /etc/passwd, or run as root or as a "+
			"user who has one", err, os.Geteuid())
	}
	return err
}

// initdbArgs asks for a server in the data folder, with its settings.
func initdbArgs(cfg Config) []string {
	args := []string{
		"--pgdata=" + cfg.DataDir, "--username=" + Superuser, "--auth=scram-sha-256", "--pwfile=" + inheritedFile,
	}
	args = append(args, InitArguments(cfg.Installation.Version.Major)...)
	for _, s := range settings(cfg) {
		args = append(args, "--set="+s.name+"="+s.value)
	}
	return args
}

// InitArguments are what initdb of a major version is told of any throwaway server. They ask for the same collation
// everywhere, whatever the machine's own locale: C.UTF-8, which PostgreSQL brings itself from 17 on.
func InitArguments(major int) []string {
	args := []string{"--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"}
	if major >= 17 {
		args = append(args, "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
	}
	if major >= 18 {
		args = append(args, "--no-data-checksums") // the default changed with 18; they guard data that is kept
	}
	return args
}

// passwordFile is an open file without a name that holds the superuser's password, for initdb to inherit: whatever is
// killed when, no password is left lying about.
func passwordFile(password string, user *runas.User) (*os.File, error) {
	file, err := os.CreateTemp("", "faultline-initdb-")
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(password + "\n")
	if err := errors.Join(err, user.Own(file.Name()), os.Remove(file.Name())); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	_, err = file.Seek(0, io.SeekStart)
	return file, err
}

// environment is all that PostgreSQL's programs see: nothing of the caller's (PGDATA, PGHOST, LC_ALL) may reach them.
func environment() []string {
	return []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
}
