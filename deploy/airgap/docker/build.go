package docker

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// File is one file or folder that a Dockerfile can copy from. Its mode is the one that it has in the image: the classic
// builder knows no --chmod.
type File struct {
	Name string // with slashes
	Mode fs.FileMode
	Data []byte // the content, unless Path is set
	Path string // a file of this machine
	Link string // of a symbolic link: what it points to
}

// Recipe is how to build one image.
type Recipe struct {
	Dockerfile string
	Files      []File
	Args       map[string]string // the Dockerfile's ARGs
	Label      string            // name=value, unless it is empty
	// OnStep is told each instruction of the Dockerfile as the engine comes to it. It may be nil.
	OnStep func(step string)
}

// Build makes an image and gives it its name when it is whole.
func (e Engine) Build(ctx context.Context, ref string, recipe Recipe) error {
	// The network of the host: an engine without iptables or behind a proxy on loopback has no other.
	args := []string{"build", "--network=host", "--rm", "--force-rm", "--tag=" + ref}
	if recipe.Label != "" {
		args = append(args, "--label="+recipe.Label)
	}
	for name, value := range recipe.Args {
		args = append(args, "--build-arg="+name+"="+value)
	}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		for _, variant := range []string{name, strings.ToUpper(name)} {
			if os.Getenv(variant) != "" {
				args = append(args, "--build-arg="+variant) // its value comes from the environment
			}
		}
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(recipe.archive(writer)) }()
	defer func() { _ = reader.Close() }() // ends the writer when docker reads no more

	var said bytes.Buffer
	cmd := e.command(ctx, append(args, "-")...)
	cmd.Stdin = reader
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("docker build: %w", err)
	}
	var printed bytes.Buffer
	recipe.follow(io.TeeReader(output, &printed))
	return failure(ctx, "build", cmd.Wait(), printed.String()+said.String())
}

// follow tells of each step in what the classic builder prints.
func (r Recipe) follow(output io.Reader) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if _, step, found := strings.Cut(lines.Text(), " : "); found && strings.HasPrefix(lines.Text(), "Step ") && r.OnStep != nil {
			r.OnStep(step)
		}
	}
	_, _ = io.Copy(io.Discard, output) // a line without end must not make docker wait for ever
}

// archive writes what goes to the engine.
func (r Recipe) archive(out io.Writer) error {
	archive := tar.NewWriter(out)
	files := append([]File{{Name: "Dockerfile", Mode: 0o644, Data: []byte(r.Dockerfile)}}, r.Files...)
	for _, file := range files {
		if err := file.write(archive); err != nil {
			return fmt.Errorf("%s for the image: %w", file.Name, err)
		}
	}
	return archive.Close()
}

func (f File) write(archive *tar.Writer) error {
	header := &tar.Header{Name: f.Name, Mode: int64(f.Mode.Perm()), Size: int64(len(f.Data)), Typeflag: tar.TypeReg}
	if f.Mode&fs.ModeSticky != 0 {
		header.Mode |= 0o1000
	}
	switch {
	case f.Link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, f.Link
	case f.Mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, f.Name+"/"
	case f.Path != "":
		return f.copyTo(archive, header)
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := archive.Write(f.Data)
	return err
}

func (f File) copyTo(archive *tar.Writer, header *tar.Header) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header.Size = info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

// Tree lists everything below a folder of this machine as files below name, readable for everybody, and executable where
// executable says so of the path within the folder.
func Tree(dir, name string, executable func(path string, mode fs.FileMode) bool) ([]File, error) {
	var files []File
	err := filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		file := File{Name: path.Join(name, relative), Mode: 0o644, Path: at}
		switch {
		case entry.IsDir():
			file.Mode, file.Path = fs.ModeDir|0o755, ""
		case entry.Type()&fs.ModeSymlink != 0:
			file.Path = ""
			if file.Link, err = os.Readlink(at); err != nil {
				return err
			}
		case executable(relative, info.Mode()):
			file.Mode = 0o755
		}
		files = append(files, file)
		return nil
	})
	return files, err
}
