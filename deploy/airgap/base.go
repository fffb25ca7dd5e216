package airgap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/airgap/engine"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// ErrNeedsRoot says that only root can make the base image.
var ErrNeedsRoot = errors.New("this has to be done by root")

// onlyGo lets toolchain find go and no program of a package manager.
func onlyGo(name string) (string, error) {
	if name == "go" {
		return exec.LookPath(name)
	}
	return "", exec.ErrNotFound
}

// makeBase is Debian by debootstrap.
func (b *builder) makeBase(ctx context.Context, ref string) error {
	if err := canBootstrap(os.Geteuid(), exec.LookPath, engine.Keyring); err != nil {
		return err
	}
	from, err := findDebian(b.opts.Mirror, "/etc/apt")
	if err != nil {
		return err
	}
	dir, err := b.part("debian")
	if err != nil {
		return err
	}
	script := filepath.Join(dir, "rootfs.sh")
	if err := os.WriteFile(script, []byte(read("debian/rootfs.sh")), 0o600); err != nil {
		return err
	}
	if err := b.bootstrap(ctx, from, script, dir); err != nil {
		return err
	}
	b.step("importing it")
	_, err = b.engine.Output(ctx, "import", "--change=LABEL "+label, "--change=ENV PATH="+searchPath, `--change=CMD ["bash"]`,
		filepath.Join(dir, "rootfs.tar"), ref)
	return errors.Join(err, os.RemoveAll(dir))
}

// canBootstrap says what is missing.
func canBootstrap(uid int, lookPath func(string) (string, error), keyring string) error {
	if uid != 0 {
		return fmt.Errorf("%w: debootstrap makes files of many owners. Run `stack airgap` once as root (sudo keeps FAULTLINE_* "+
			"with --preserve-env); the images are then there for everybody who may use this Docker engine", ErrNeedsRoot)
	}
	if _, err := lookPath("debootstrap"); err != nil {
		return errors.New("there is no debootstrap on PATH: install it (Debian, Ubuntu: apt-get install debootstrap, or " +
			"`stack airgap engine`; Fedora: dnf install debootstrap)")
	}
	if _, err := os.Stat(keyring); err != nil {
		return fmt.Errorf("without the keys of Debian nobody knows whose packages come: install them (Debian, Ubuntu: apt-get "+
			"install debian-archive-keyring, or `stack airgap engine`; Fedora: dnf install debian-keyring): %w", err)
	}
	return nil
}

// bootstrap runs the script in a mount namespace of its own, with its output in a log.
func (b *builder) bootstrap(ctx context.Context, from debian, script, dir string) error {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, "/bin/sh", script, suite, from.mirror, from.security, engine.Keyring, dir)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, ownMounts()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	stop := progress.Every(time.Second, func() { b.step("fetching and unpacking packages") })
	err = cmd.Run()
	stop()
	switch {
	case ctx.Err() != nil:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what of it did not hear
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("debootstrap of %s from %s (%s names another mirror): %w:\n%s", suite, from.mirror, MirrorVariable,
			err, tail(log.Name()))
	}
	return nil
}
