package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Keyring has the keys of Debian's archive.
const Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// needed are the packages without which there is no engine; debootstrap is for the images, and the keyring is by what it
// knows that the packages are Debian's.
var needed = []string{"docker.io", "iptables", "xz-utils"}

// install brings the packages that are missing.
func (s *setup) install(ctx context.Context, withEngine bool) error {
	var missing []string
	if _, err := exec.LookPath("debootstrap"); err != nil {
		missing = append(missing, "debootstrap")
	}
	if _, err := os.Stat(s.at(Keyring)); err != nil {
		missing = append(missing, "debian-archive-keyring")
	}
	if _, err := exec.LookPath("dockerd"); withEngine && err != nil {
		missing = append(missing, needed...)
	}
	if len(missing) == 0 {
		return nil
	}
	if err := s.mustBeRoot("to install " + strings.Join(missing, ", ")); err != nil {
		return err
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("install a Docker engine, debootstrap and Debian's keyring with this machine's package manager; with "+
			"apt-get it would be %s", strings.Join(missing, ", "))
	}
	if err := s.apt(ctx, missing); err != nil {
		return err
	}
	// Later releases of Debian have the docker command in a package of its own.
	if _, err := exec.LookPath("docker"); err != nil && slices.Contains(missing, needed[0]) {
		return s.apt(ctx, []string{"docker-cli"})
	}
	return nil
}

// apt installs packages. What came with them is told too, and even when it failed in the middle; what was there before is
// not ours to take back.
func (s *setup) apt(ctx context.Context, packages []string) error {
	before, err := installed(ctx)
	if err != nil {
		return err
	}
	failed := s.aptGet(ctx, packages)
	after, err := installed(context.WithoutCancel(ctx))
	if err != nil {
		return errors.Join(failed, err)
	}
	maps.DeleteFunc(after, func(name string, _ bool) bool { return before[name] })
	if len(after) > 0 {
		names := slices.Sorted(maps.Keys(after))
		s.changed("installed "+strings.Join(names, ", "), "apt-get purge "+strings.Join(names, " "))
	}
	return failed
}

func (s *setup) aptGet(ctx context.Context, packages []string) error {
	for _, args := range [][]string{
		{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...),
	} {
		s.line.Print("apt-get %s", strings.Join(args, " "))
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w:\n%s", args[0], err, output)
		}
	}
	return nil
}

// installed are the packages that are on the machine, be it in part.
func installed(ctx context.Context) (map[string]bool, error) {
	output, err := exec.CommandContext(ctx, "dpkg-query", "--show", "--showformat=${db:Status-Status} ${binary:Package}\n").Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg-query does not say what is installed: %w", err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(output)) {
		status, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if status != "not-installed" && status != "config-files" {
			names[name] = true
		}
	}
	return names, nil
}
