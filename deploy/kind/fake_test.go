package kind

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/folders"
)

// fakeDocker puts a docker command on PATH that is this shell script, and nothing else but the shell's tools.
func fakeDocker(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	if script == "" {
		t.Setenv("PATH", dir)
	}
}

// checkout is an empty one, in which nothing ever ran.
func checkout(t *testing.T) files {
	t.Helper()
	t.Setenv(clusterVariable, "")
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "go.work"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	paths, err := folders.In(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := paths.Make(); err != nil {
		t.Fatal(err)
	}
	return filesOf(paths)
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Error(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
