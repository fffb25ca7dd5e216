package images

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/faultline-lab/faultline/deploy/local/stack"
)

// hello is a checkout with one program.
func hello(t *testing.T, says string) Config {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"go.mod":  "module example.test/hello\n\ngo 1.26.0\n",
		"main.go": "// Command hello says it.\npackage main\n\nfunc main() { println(\"" + says + "\") }\n",
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOWORK", "off")
	return Config{Root: root, Programs: []Program{{Name: "hello", Package: ".", About: "It says hello."}}}
}

func build(t *testing.T, cfg Config) Image {
	t.Helper()
	made, err := Build(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 1 {
		t.Fatalf("%d images, want one", len(made))
	}
	return made[0]
}

func digest(t *testing.T, image Image) string {
	t.Helper()
	hash, err := image.image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

func TestTheSameSourceInAnotherFolderGivesTheSameImageAndAnotherSourceAnother(t *testing.T) {
	first, again, other := build(t, hello(t, "hello")), build(t, hello(t, "hello")), build(t, hello(t, "good bye"))
	if digest(t, first) != digest(t, again) || first.Ref() != again.Ref() {
		t.Errorf("%s and %s: want one image", first.Ref(), again.Ref())
	}
	if digest(t, first) == digest(t, other) || first.Tag == other.Tag {
		t.Errorf("%s for two sources", first.Ref())
	}
}

func TestAnImageHoldsOneStaticProgramAndNothingToRunAnotherWith(t *testing.T) {
	image := build(t, hello(t, "hello"))
	contents := mutate.Extract(image.image)
	defer contents.Close()
	archive := tar.NewReader(contents)
	found := map[string]*tar.Header{}
	var program []byte
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found[strings.Trim(header.Name, "/")] = header
		if header.Typeflag == tar.TypeReg {
			if program, err = io.ReadAll(archive); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(found) != 2 || found["tmp"] == nil || found["hello"] == nil {
		t.Fatalf("it holds %v, want /tmp and the program", found)
	}
	if mode := found["tmp"].Mode; mode != 0o1777 {
		t.Errorf("/tmp has mode %o, want 1777", mode)
	}
	if mode := found["hello"].Mode; mode != 0o755 {
		t.Errorf("the program has mode %o, want 755", mode)
	}
	binary, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatalf("the program is none of Linux: %v", err)
	}
	for _, segment := range binary.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			t.Errorf("the program asks for a loader (%v): there is none in the image", segment.Type)
		}
	}
}

func TestAnImageRunsItsProgramAsNobody(t *testing.T) {
	image := build(t, hello(t, "hello"))
	config, err := image.image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" {
		t.Errorf("user %q, want 65532:65532", config.Config.User)
	}
	if !slices.Equal(config.Config.Entrypoint, []string{"/hello"}) || len(config.Config.Cmd) > 0 {
		t.Errorf("it runs %v %v, want /hello", config.Config.Entrypoint, config.Config.Cmd)
	}
	if config.OS != "linux" || config.Architecture != runtime.GOARCH {
		t.Errorf("for %s/%s", config.OS, config.Architecture)
	}
	if !config.Created.IsZero() && config.Created.Unix() != 0 {
		t.Errorf("created %s, want the epoch", config.Created)
	}
	if config.Config.Labels["org.opencontainers.image.title"] != "hello" {
		t.Errorf("labels %v", config.Config.Labels)
	}
	if image.Name != "faultline.dev/hello" || len(image.Tag) != tagDigits {
		t.Errorf("it is called %s", image.Ref())
	}
}

func TestAnImageIsMadeForTheMachineOfTheEngine(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		cfg := hello(t, "hello")
		cfg.Arch = arch
		image := build(t, cfg)
		config, err := image.image.ConfigFile()
		if err != nil || config.Architecture != arch {
			t.Errorf("%s: the image says %s, %v", arch, config.Architecture, err)
		}
		binary, err := elf.Open(filepath.Join(cfg.Root, ".faultline", "images", "linux-"+arch, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		if binary.Machine != machine {
			t.Errorf("%s: the program is for %s", arch, binary.Machine)
		}
		binary.Close()
	}
}

func TestTheArchiveHoldsEveryImageUnderItsName(t *testing.T) {
	made := []Image{build(t, hello(t, "hello")), build(t, hello(t, "good bye"))}
	made[1].Name = Prefix + "other"
	var archive bytes.Buffer
	if err := Archive(&archive, made); err != nil {
		t.Fatal(err)
	}
	for _, image := range made {
		tag, err := name.NewTag(image.Ref())
		if err != nil {
			t.Fatal(err)
		}
		read, err := tarball.Image(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
		}, &tag)
		if err != nil {
			t.Fatalf("%s is not in the archive: %v", image.Ref(), err)
		}
		if err := validate.Image(read); err != nil {
			t.Errorf("%s: %v", image.Ref(), err)
		}
		if sameConfig(t, read) != sameConfig(t, image.image) {
			t.Errorf("%s: another image comes out than went in", image.Ref())
		}
	}
}

func sameConfig(t *testing.T, image v1.Image) string {
	t.Helper()
	id, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

func TestWithoutABuildTheBinariesOfTheLastOneAreTaken(t *testing.T) {
	cfg := hello(t, "hello")
	cfg.NoBuild = true
	if _, err := Build(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "without --no-build") {
		t.Fatalf("nothing was built, and it says %v", err)
	}
	cfg.NoBuild = false
	first := build(t, cfg)
	if err := os.WriteFile(filepath.Join(cfg.Root, "main.go"), []byte("package broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.NoBuild = true
	if again := build(t, cfg); again.Ref() != first.Ref() {
		t.Errorf("%s, want the %s of before", again.Ref(), first.Ref())
	}
}

func TestWhatDoesNotBuildIsToldInTheCompilersWords(t *testing.T) {
	cfg := hello(t, "hello")
	if err := os.WriteFile(filepath.Join(cfg.Root, "main.go"), []byte("package main\n\nfunc main() { nonsense() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Build(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("it says %v", err)
	}
}

func TestAnInterruptEndsTheBuildWithItsCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := Build(ctx, hello(t, "hello")); !errors.Is(err, cause) {
		t.Errorf("it says %v, want the cause", err)
	}
}

func TestEveryProgramOfTheLocalStackHasAnImageAndAPackage(t *testing.T) {
	var names []string
	for _, program := range Programs() {
		names = append(names, program.Name)
		if _, err := os.Stat(filepath.Join("..", "..", program.Package, "main.go")); err != nil {
			t.Errorf("%s: %v", program.Name, err)
		}
	}
	if !slices.Equal(names, stack.Binaries()) {
		t.Errorf("images of %v, the stack runs %v", names, stack.Binaries())
	}
}

func TestTheBuildersEnvironmentIsKeptButForWhatChangesTheBytes(t *testing.T) {
	got := goEnvironment([]string{"PATH=/bin", "GOFLAGS=-race", "GOARCH=mips", "GOPROXY=direct"}, "arm64")
	for _, want := range []string{"PATH=/bin", "GOPROXY=direct", "GOARCH=arm64", "GOOS=linux", "CGO_ENABLED=0"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %v", want, got)
		}
	}
	if slices.Contains(got, "GOFLAGS=-race") || slices.Contains(got, "GOARCH=mips") {
		t.Errorf("%v", got)
	}
}

func TestMain(m *testing.M) {
	if _, err := exec.LookPath("go"); err != nil {
		panic("these tests build programs: there is no go command on PATH")
	}
	os.Exit(m.Run())
}
