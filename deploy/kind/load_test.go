package kind

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/exec"

	"github.com/faultline-lab/faultline/deploy/images"
)

// fakeNode is a node whose commands are answered here.
type fakeNode struct {
	nodes.Node
	answer func(name string, args []string, stdin io.Reader) (string, error)
}

func (n fakeNode) Command(name string, args ...string) exec.Cmd {
	return &fakeCommand{node: n, name: name, args: args}
}

type fakeCommand struct {
	exec.Cmd
	node   fakeNode
	name   string
	args   []string
	stdin  io.Reader
	stdout io.Writer
}

func (c *fakeCommand) SetStdin(from io.Reader) exec.Cmd { c.stdin = from; return c }

func (c *fakeCommand) SetStdout(to io.Writer) exec.Cmd { c.stdout = to; return c }

func (c *fakeCommand) SetStderr(io.Writer) exec.Cmd { return c }

func (c *fakeCommand) Run() error {
	text, err := c.node.answer(c.name, c.args, c.stdin)
	if c.stdout != nil {
		_, _ = io.WriteString(c.stdout, text)
	}
	return err
}

const containerdConfig = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"overlayfs\"\n"

func TestOnlyWhatTheNodeLacksIsBrought(t *testing.T) {
	node := fakeNode{answer: func(string, []string, io.Reader) (string, error) {
		return `{"images":[{"repoTags":["faultline.dev/orders:1"]},{"repoTags":["a:1","b:1"]}]}`, nil
	}}
	there, err := imagesOn(node)
	if err != nil {
		t.Fatal(err)
	}
	missing := cargo{
		ours:    []images.Image{{Name: "faultline.dev/orders", Tag: "1"}, {Name: "faultline.dev/orders", Tag: "2"}},
		foreign: []string{"b:1", "c:1", "d:1@sha256:abc"},
	}.missing(there)
	if len(missing.ours) != 1 || missing.ours[0].Tag != "2" || !slices.Equal(missing.foreign, []string{"c:1"}) {
		t.Errorf("missing %+v", missing)
	}
}

func TestEveryImageOfTheEngineArrivesWhole(t *testing.T) {
	fakeDocker(t, `printf 'archive of %s' "$2"`)
	var mu sync.Mutex
	var arrived []string
	node := fakeNode{answer: func(name string, _ []string, stdin io.Reader) (string, error) {
		if name != "ctr" {
			return containerdConfig, nil
		}
		archive, err := io.ReadAll(stdin)
		mu.Lock()
		defer mu.Unlock()
		arrived = append(arrived, string(archive))
		return "", err
	}}
	refs := []string{"a:1", "b:1", "c:1", "d:1", "e:1"}
	if err := (cargo{foreign: refs}).bring(t.Context(), new(engine{}), node); err != nil {
		t.Fatal(err)
	}
	slices.Sort(arrived)
	if len(arrived) != len(refs) || arrived[0] != "archive of a:1" || arrived[4] != "archive of e:1" {
		t.Errorf("arrived %q", arrived)
	}
}

func TestAnArchiveThatBreaksOffIsAnErrorAlsoWhenTheNodeTakesIt(t *testing.T) {
	broken := errors.New("broken off")
	node := fakeNode{answer: func(name string, _ []string, stdin io.Reader) (string, error) {
		if name == "ctr" {
			_, _ = io.Copy(io.Discard, stdin)
		}
		return containerdConfig, nil
	}}
	if err := load(t.Context(), node, func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("it says %v", err)
	}
}

func TestANodeThatStopsReadingEndsTheArchive(t *testing.T) {
	full := errors.New("no space left on device")
	node := fakeNode{answer: func(name string, _ []string, _ io.Reader) (string, error) {
		if name == "ctr" {
			return "", full
		}
		return containerdConfig, nil
	}}
	err := load(t.Context(), node, func(to io.Writer) error {
		_, err := to.Write(bytes.Repeat([]byte("x"), 1<<20))
		return err
	})
	if !errors.Is(err, full) {
		t.Errorf("it says %v", err)
	}
}

func TestAnInterruptEndsTheLoading(t *testing.T) {
	fakeDocker(t, `exec sleep 600`)
	endless := func(to io.Writer) error {
		for {
			if _, err := to.Write(make([]byte, 1024)); err != nil {
				return err
			}
		}
	}
	cause := errors.New("enough")
	for name, bring := range map[string]func(context.Context, nodes.Node) error{
		"of an image of the engine": func(ctx context.Context, node nodes.Node) error {
			return cargo{foreign: []string{"a:1"}}.bring(ctx, new(engine{}), node)
		},
		"of an archive of ours": func(ctx context.Context, node nodes.Node) error { return load(ctx, node, endless) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			node := fakeNode{answer: func(name string, _ []string, stdin io.Reader) (string, error) {
				if name != "ctr" {
					return containerdConfig, nil
				}
				cancel(cause)
				_, err := io.Copy(io.Discard, stdin)
				return "", err
			}}
			if err := bring(ctx, node); !errors.Is(err, cause) {
				t.Errorf("it says %v", err)
			}
		})
	}
}
