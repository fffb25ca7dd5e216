package docker

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheArchiveHasTheDockerfileFirstAndTheModesThatWereAskedFor(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(binary, []byte("from this machine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := (Recipe{Dockerfile: "FROM scratch\n", Files: []File{
		{Name: "bin/program", Mode: 0o755, Path: binary},
		{Name: "tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777},
		{Name: "lib/a.so", Link: "a.so.1"},
		{Name: "note", Mode: 0o644, Data: []byte("text")},
	}}).archive(&archive); err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name, content, link string
		kind                byte
		mode                int64
	}{
		{"Dockerfile", "FROM scratch\n", "", tar.TypeReg, 0o644},
		{"bin/program", "from this machine", "", tar.TypeReg, 0o755},
		{"tmp/", "", "", tar.TypeDir, 0o1777},
		{"lib/a.so", "", "a.so.1", tar.TypeSymlink, 0},
		{"note", "text", "", tar.TypeReg, 0o644},
	}
	reader := tar.NewReader(&archive)
	for _, w := range want {
		header, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if header.Name != w.name || header.Mode != w.mode || header.Typeflag != w.kind || header.Linkname != w.link ||
			string(content) != w.content {
			t.Errorf("got %s %o %c %q %q, want %+v", header.Name, header.Mode, header.Typeflag, header.Linkname, content, w)
		}
	}
	if _, err := reader.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("there is more: %v", err)
	}
}

func TestAFileThatIsNotThereIsNamed(t *testing.T) {
	err := (Recipe{Files: []File{{Name: "bin/kubelet", Path: "/nowhere"}}}).archive(io.Discard)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "bin/kubelet") {
		t.Errorf("got %v", err)
	}
}

func TestStepsAreThoseOfTheClassicBuilder(t *testing.T) {
	var steps []string
	Recipe{OnStep: func(step string) { steps = append(steps, step) }}.follow(strings.NewReader(
		"Sending build context\nStep 1/2 : FROM scratch\n ---> \nStep 2/2 : COPY a /a : b\nnot a Step 3/2 : x\n"))
	if got := strings.Join(steps, "|"); got != "FROM scratch|COPY a /a : b" {
		t.Errorf("got %s", got)
	}
}

func TestATreeKeepsLinksAndSaysWhatIsExecutable(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bin/tool", "note"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("note", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	files, err := Tree(dir, "root", func(at string, _ fs.FileMode) bool { return strings.HasPrefix(at, "bin/") })
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, file := range files {
		got[file.Name] = file.Mode.String() + " " + file.Link
	}
	for name, want := range map[string]string{
		"root": "drwxr-xr-x ", "root/bin": "drwxr-xr-x ", "root/bin/tool": "-rwxr-xr-x ", "root/note": "-rw-r--r-- ",
		"root/link": "-rw-r--r-- note",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}
