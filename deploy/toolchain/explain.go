package toolchain

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The reasons for which a build fails that a user can do something about.
var (
	ErrFetch    = errors.New("a module could not be fetched")
	ErrChecksum = errors.New("a module is not what was pinned")
	ErrOldGo    = errors.New("the Go toolchain is too old")
	ErrDiskFull = errors.New("the disk is full")
)

// keepLines is how much of go's output an unexplained failure shows.
const keepLines = 12

var (
	// failedModule finds the module in "x.go:5:2: example.org/m@v1.2.3: Get ...: dial tcp ...".
	failedModule = regexp.MustCompile(`(\S+@v[^\s:]+): (.+)`)
	// unfetchable matches the reasons of Go's module fetcher when nothing came.
	unfetchable = regexp.MustCompile(`dial tcp|no such host|connection re(fused|set)|i/o timeout|TLS handshake|x509:|` +
		`proxyconnect|network is unreachable|module lookup disabled|unexpected EOF|: EOF|deadline exceeded|` +
		`\b(403|404|407|410|429|5\d\d) [A-Z]`)
	// unverifiable matches what go says when go.sum and the module disagree, or go.sum lacks it.
	unverifiable = regexp.MustCompile(`checksum mismatch|SECURITY ERROR|missing go\.sum entry|malformed go\.sum`)
	oldGo        = regexp.MustCompile(`requires go >= (\S+)`)
)

// explain turns what go said into what to do. fetching is the module that go asked for last, if any.
func explain(s spec, err error, said []string, fetching string) error {
	text := strings.Join(said, "\n")
	switch {
	case unverifiable.MatchString(text):
		return fmt.Errorf("building %s: %w: deploy/tools/%s/go.sum does not fit what was fetched. Either it was edited "+
			"without fetching (deploy/tools/README.md says how to move a version), or a proxy changed the module. "+
			"Go said:\n%s", s.name, ErrChecksum, s.pins, tail(said))
	case oldGo.MatchString(text):
		return fmt.Errorf("building %s: %w: it needs Go %s or later. Update Go, or allow it to fetch a newer toolchain "+
			"(GOTOOLCHAIN=auto)", s.name, ErrOldGo, strings.TrimRight(oldGo.FindStringSubmatch(text)[1], ",)"))
	case strings.Contains(text, "no space left on device"):
		return fmt.Errorf("building %s: %w: the first build of all programs needs about 6 GB in Go's caches "+
			"(go env GOCACHE GOMODCACHE). Make room and run it again", s.name, ErrDiskFull)
	}
	if module, reason, ok := fetchFailure(said, fetching); ok {
		other := fmt.Sprintf("\nOr install %s %s or later with a package manager; the package is called %s", s.binary,
			s.minimum, s.packages)
		if s.exact {
			other = ""
		}
		return fmt.Errorf("building %s: %w: %s (%s).\nThe first build needs the Go module proxy once (go env GOPROXY says "+
			"which). Connect and run it again: what was fetched and compiled is kept.%s", s.name, ErrFetch, module, reason, other)
	}
	return fmt.Errorf("building %s failed: %w. Go said:\n%s", s.name, err, tail(said))
}

// fetchFailure finds the first module that could not be fetched, and why. With GOPROXY=off go does not say which it was.
func fetchFailure(said []string, fetching string) (module, reason string, ok bool) {
	for _, line := range said {
		match := failedModule.FindStringSubmatch(line)
		if match != nil && unfetchable.MatchString(match[2]) {
			return match[1], match[2], true
		}
	}
	for _, line := range said {
		if unfetchable.MatchString(line) {
			return cmp.Or(fetching, "the Go toolchain that it wants"), strings.TrimPrefix(line, "go: "), true
		}
	}
	return "", "", false
}

func tail(lines []string) string {
	if len(lines) > keepLines {
		lines = lines[len(lines)-keepLines:]
	}
	return "  " + strings.Join(lines, "\n  ")
}
