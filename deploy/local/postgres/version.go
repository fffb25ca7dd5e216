package postgres

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/faultline-lab/faultline/deploy/local/runas"
)

// MinimumMajor is the first version with reserved connections for others than superusers: without them the healer
// cannot get in when the server is full.
const MinimumMajor = 16

// Version of a PostgreSQL server.
type Version struct {
	Major int
	Text  string // as the program says it: 18.4, 17beta1
}

// String is the version as the program says it.
func (v Version) String() string { return v.Text }

// versionLine matches what `postgres --version` prints.
var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) ((\d+)\S*)`)

// parseVersion reads the output of `postgres --version`.
func parseVersion(output string) (Version, error) {
	match := versionLine.FindStringSubmatch(output)
	if match == nil {
		return Version{}, fmt.Errorf("not a PostgreSQL version: %q", strings.TrimSpace(output))
	}
	major, err := strconv.Atoi(match[2])
	if err != nil {
		return Version{}, fmt.Errorf("PostgreSQL version %q: %w", match[1], err)
	}
	return Version{Major: major, Text: match[1]}, nil
}

// versionOf asks the program, as the user that will run it.
func versionOf(ctx context.Context, user *runas.User, program string) (Version, error) {
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.SysProcAttr = sysProcAttr(user.Credential())
	cmd.Dir = "/"
	output, err := cmd.Output()
	if err != nil {
		return Version{}, fmt.Errorf("%s does not run: %w", program, withStderr(err))
	}
	return parseVersion(string(output))
}

// bindirOf asks pg_config for the folder of the server's programs; empty when it cannot say.
func bindirOf(ctx context.Context, pgConfig string) string {
	output, err := exec.CommandContext(ctx, pgConfig, "--bindir").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}

// digits finds the numbers in a folder's path.
var digits = regexp.MustCompile(`\d+`)

// majorIn guesses the major version from the last number in a folder's path, to try newer ones first; 0 when there is
// none.
func majorIn(dir string) int {
	numbers := digits.FindAllString(dir, -1)
	if len(numbers) == 0 {
		return 0
	}
	major, err := strconv.Atoi(numbers[len(numbers)-1])
	if err != nil {
		return 0
	}
	return major
}

// withStderr adds what a failed program said to the error that says it failed.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
