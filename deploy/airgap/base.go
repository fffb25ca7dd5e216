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
	if err := canBootstrap(os.Geteuid(), exec.LookPath); err != nil {
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
	if err := b.bootstrap(ctx, script, dir); err != nil {
		return err
	}
	b.step("importing it")
	_, err = b.engine.Output(ctx, "import", "--change=ENV PATH="+searchPath, `--change=CMD ["bash"]`,
		filepath.Join(dir, "rootfs.tar"), ref)
	return errors.Join(err, os.RemoveAll(dir))
}

// canBootstrap says what is missing.
func canBootstrap(uid int, lookPath func(string) (string, error)) error {
	if uid != 0 {
		return fmt.Errorf("%w: debootstrap makes files of many owners. Run `stack airgap` once as root (sudo keeps FAULTLINE_* "+
			"with --preserve-env); the images are then there for everybody who may use this Docker engine", ErrNeedsRoot)
	}
	if _, err := lookPath("debootstrap"); err != nil {
		return errors.New("there is no debootstrap on PATH: install it (Debian, Ubuntu: apt-get install debootstrap, or " +
			"`stack airgap engine`; Fedora: dnf install debootstrap)")
	}
	return nil
}

// bootstrap runs the script in a mount namespace of its own, with its output in a log.
func (b *builder) bootstrap(ctx context.Context, script, dir string) error {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, "/bin/sh", script, suite, b.debian.mirror, b.debian.security, dir)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, ownMounts()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	stop := b.keepShowing("fetching and unpacking packages")
	err = cmd.Run()
	stop()
	switch {
	case ctx.Err() != nil:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what of it did not hear
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("debootstrap of %s from %s (%s names another mirror): %w:\n%s", suite, b.debian.mirror, MirrorVariable,
			err, tail(log.Name()))
	}
	return nil
}

// keepShowing renews the line until stop is called.
func (b *builder) keepShowing(what string) (stop func()) {
	ticker := time.NewTicker(time.Second)
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			b.step(what)
			select {
			case <-ticker.C:
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-gone
	}
}
