package airgap

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/toolchain"
)

// searchPath is there because manifests of Kubernetes name programs without their folder.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// user is unprivileged, and has no name in an image from scratch.
const user = "65532:65532"

// program is an image of one static program and nothing else.
type program struct {
	title      string
	name       toolchain.Name
	repository string
	official   string
	path       string // of the program in the image, which is the entrypoint
	home       string // a folder that the program may write to; empty for one that runs as root
}

// programs are those of the observability stack, each where its official image has it.
func programs() []program {
	return []program{
		{
			title: "Prometheus", name: toolchain.PrometheusKubernetes, repository: "prometheus",
			official: "docker.io/prom/prometheus", path: "/bin/prometheus", home: "/prometheus",
		},
		{
			title: "Alertmanager", name: toolchain.Alertmanager, repository: "alertmanager",
			official: "docker.io/prom/alertmanager", path: "/bin/alertmanager", home: "/alertmanager",
		},
		{
			title: "Loki", name: toolchain.Loki, repository: "loki",
			official: "docker.io/grafana/loki", path: "/usr/bin/loki", home: "/loki",
		},
		{
			title: "Jaeger", name: toolchain.Jaeger, repository: "jaeger",
			official: "docker.io/jaegertracing/jaeger", path: "/cmd/jaeger/jaeger-linux", home: "/tmp",
		},
	}
}

func (p program) image() (image, error) {
	source, err := toolchain.SourceOf(p.name)
	if err != nil {
		return image{}, err
	}
	programKey := newKey()
	programKey.add(p.dockerfile(), source.Key)
	ref := registry + p.repository + ":" + source.Release + "-" + programKey.String()
	return image{
		title: p.title + " " + source.Release, ref: ref, official: p.official, programs: []toolchain.Name{p.name},
		make: func(ctx context.Context, b *builder) error {
			return b.build(ctx, ref, p.recipe(b.tools[p.name].Path))
		},
	}, nil
}

// dockerfile copies the program, and folders for it to write to.
func (p program) dockerfile() string {
	var text strings.Builder
	fmt.Fprintf(&text, "FROM scratch\nENV PATH=%s\nCOPY program/ /\n", searchPath)
	if p.home != "" {
		fmt.Fprintf(&text, "COPY --chown=%s folders/ /\nUSER %s\nWORKDIR %s\n", user, user, p.home)
	}
	fmt.Fprintf(&text, "ENTRYPOINT [%q]\n", p.path)
	return text.String()
}

// recipe has the program from a file of this machine.
func (p program) recipe(binary string) docker.Recipe {
	files := []docker.File{{Name: path.Join("program", p.path), Mode: 0o755, Path: binary}}
	if p.home != "" {
		files = append(files, docker.File{Name: "folders/tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777})
		if p.home != "/tmp" {
			files = append(files, docker.File{Name: path.Join("folders", p.home), Mode: fs.ModeDir | 0o755})
		}
	}
	return docker.Recipe{Dockerfile: p.dockerfile(), Files: files}
}
