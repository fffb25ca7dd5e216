package toolchain

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// askWithin bounds how long a program may take to say its version.
const askWithin = 10 * time.Second

// release is a version: major, minor, patch. What follows (a distribution's suffix, a build's name) says nothing about
// whether it serves; only release candidates before the minimum would be taken for it, and that is accepted.
type release [3]int

// String is the release without a leading v.
func (r release) String() string { return fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]) }

// before says whether r is older than other.
func (r release) before(other release) bool {
	for i := range r {
		if r[i] != other[i] {
			return r[i] < other[i]
		}
	}
	return false
}

var (
	// afterVersion finds "prometheus, version 3.5.0 (branch: HEAD ..." and the like.
	afterVersion = regexp.MustCompile(`\bversion:? v?(\d+\.\d+(?:\.\d+)?)`)
	// gitVersion finds the version in Jaeger's JSON.
	gitVersion = regexp.MustCompile(`"gitVersion":\s*"v?(\d+\.\d+(?:\.\d+)?)`)
)

// parse finds the version in what a program printed. A program that was built by hand often has none.
func parse(pattern *regexp.Regexp, output string) (release, error) {
	match := pattern.FindStringSubmatch(output)
	if match == nil {
		first, _, _ := strings.Cut(strings.TrimSpace(output), "\n")
		return release{}, fmt.Errorf("does not say its version: %q", first)
	}
	var found release
	for i, part := range strings.Split(match[1], ".") {
		number, err := strconv.Atoi(part)
		if err != nil {
			return release{}, fmt.Errorf("version %q: %w", match[1], err)
		}
		found[i] = number
	}
	return found, nil
}

// ask runs the program for its version.
func (s spec) ask(ctx context.Context, path string) (release, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, s.versionArgs...)
	cmd.WaitDelay = time.Second
	output, err := cmd.CombinedOutput()
	if err != nil {
		return release{}, fmt.Errorf("does not say its version: %w", err)
	}
	return parse(s.version, string(output))
}
