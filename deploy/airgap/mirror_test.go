package airgap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheMirrorIsTheOneThatAptUses(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  debian
	}{
		"lines": {
			map[string]string{"sources.list": "# deb http://old.example/debian bookworm main\n" +
				"deb [signed-by=/k.gpg arch=amd64] http://m.example/debian/ bookworm main\n" +
				"deb http://s.example/debian-security bookworm-security main\n"},
			debian{"http://m.example/debian", "http://s.example/debian-security"},
		},
		"stanzas": {
			map[string]string{"sources.list.d/debian.sources": "Types: deb\n# note: http://x.example/debian\n" +
				"URIs: http://m.example/debian\nSuites: bookworm bookworm-updates\n\n" +
				"Types: deb\nURIs: http://m.example/debian-security\nSuites: bookworm-security\n"},
			debian{"http://m.example/debian", "http://m.example/debian-security"},
		},
		"the suite that is built, when there are two": {
			map[string]string{"sources.list": "deb http://trixie.example/debian trixie main\ndeb http://m.example/debian bookworm main\n"},
			debian{"http://m.example/debian", "http://m.example/debian-security"},
		},
		"another suite of the same mirror": {
			map[string]string{"sources.list": "deb http://m.example/debian trixie main\n"},
			debian{"http://m.example/debian", "http://m.example/debian-security"},
		},
		"a stanza that is switched off, and a third party": {
			map[string]string{
				"sources.list.d/a.sources": "Enabled: no\nURIs: http://off.example/debian\nSuites: bookworm\n",
				"sources.list.d/b.list":    "deb http://third.example/apt stable main\n",
			},
			official,
		},
		"another distribution": {map[string]string{"sources.list": "deb http://m.example/ubuntu noble main\n"}, official},
		"nothing":              {nil, official},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(MirrorVariable, "")
			dir := t.TempDir()
			for file, text := range test.files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := findDebian("", dir); err != nil || got != test.want {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestAMirrorThatIsAskedForComesFirst(t *testing.T) {
	t.Setenv(MirrorVariable, "http://env.example/debian/")
	want := debian{"http://env.example/debian", "http://env.example/debian-security"}
	if got, err := findDebian("", t.TempDir()); err != nil || got != want {
		t.Errorf("by the environment: %+v", got)
	}
	want = debian{"http://flag.example/d", "http://flag.example/d-security"}
	if got, err := findDebian("http://flag.example/d", t.TempDir()); err != nil || got != want {
		t.Errorf("by the flag: %+v", got)
	}
}

func TestAListThatNotEverybodyMayReadIsLeftOut(t *testing.T) {
	t.Setenv(MirrorVariable, "")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sources.list"), []byte("deb http://m.example/debian bookworm main\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if got, err := findDebian("", dir); err != nil || got != official {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCredentialsDoNotComeIntoTheImage(t *testing.T) {
	t.Setenv(MirrorVariable, "")
	dir := t.TempDir()
	const list = "deb https://user:secret@m.example/debian bookworm main\ndeb https://user:secret@third.example/apt stable main\n"
	if err := os.WriteFile(filepath.Join(dir, "sources.list"), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, explicit := range map[string]string{"apt's": "", "one that is asked for": "https://user:secret@m.example/d"} {
		got, err := findDebian(explicit, dir)
		if err == nil || !strings.Contains(err.Error(), MirrorVariable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	want := debian{"http://m.example/debian", "http://m.example/debian-security"}
	if got, err := findDebian("http://m.example/debian", dir); err != nil || got != want {
		t.Errorf("what was said to do: %+v, %v", got, err)
	}
}
