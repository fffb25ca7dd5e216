package kind

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// shelf is an engine with some images, and a registry that has all, or answers nobody.
type shelf struct {
	images []string
	closed bool
	pulled []string
}

var errClosed = errors.New("no route to host")

func (s *shelf) has(_ context.Context, ref string) (bool, error) {
	return slices.Contains(s.images, ref), nil
}

func (s *shelf) reaches(context.Context, string) bool { return !s.closed }

func (s *shelf) pull(_ context.Context, ref string, _ func(string)) error {
	if s.closed {
		return errClosed
	}
	s.pulled = append(s.pulled, ref)
	return nil
}

// workshop is an airgap that has built, can build, or cannot.
type workshop struct {
	there, fails bool
	built        bool
}

func made() Node {
	return Node{Image: "made:1", Airgapped: true, Stack: map[string]string{"docker.io/library/postgres": "made/postgres:1"}}
}

func (w *workshop) present(context.Context) (Node, bool, error) { return made(), w.there, nil }

func (w *workshop) build(context.Context) (Node, error) {
	if w.fails {
		return Node{}, errors.New("not root")
	}
	w.built = true
	return made(), nil
}

const (
	published = "docker.io/kindest/node:v9@sha256:abc"
	postgres  = "docker.io/library/postgres:18"
)

func TestTheNodeImageIsTheOneThatIsQuickestToHave(t *testing.T) {
	for name, c := range map[string]struct {
		engine   shelf
		airgap   workshop
		cgroupV1 bool
		mayBuild bool
		want     string
		pulled   []string
		built    bool
	}{
		"what was built here is taken, whatever else there is": {
			engine: shelf{images: []string{published, postgres}}, airgap: workshop{there: true}, want: "made:1",
		},
		"what the engine has needs no network": {
			engine: shelf{images: []string{published, postgres}, closed: true}, want: published,
		},
		"what it lacks is pulled": {want: published, pulled: []string{published, postgres}},
		"only what it lacks":      {engine: shelf{images: []string{published}}, want: published, pulled: []string{postgres}},
		"without a registry it is built": {
			engine: shelf{closed: true}, mayBuild: true, want: "made:1", built: true,
		},
		"a node without the images of the stack is of no use": {
			engine: shelf{images: []string{published}, closed: true}, mayBuild: true, want: "made:1", built: true,
		},
		"the published one does not run on an old control group": {
			engine: shelf{images: []string{published, postgres}}, cgroupV1: true, mayBuild: true, want: "made:1", built: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			choosing := chooser{
				engine: &c.engine, airgap: &c.airgap, cgroupV1: c.cgroupV1, upstream: published, foreign: []string{postgres},
			}
			node, err := choosing.choose(t.Context(), c.mayBuild, func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			if node.Image != c.want || node.Airgapped != (c.want == "made:1") || node.Why == "" {
				t.Errorf("took %+v, want %s", node, c.want)
			}
			if !slices.Equal(c.engine.pulled, c.pulled) || c.airgap.built != c.built {
				t.Errorf("pulled %v, built %v; want %v, %v", c.engine.pulled, c.airgap.built, c.pulled, c.built)
			}
		})
	}
}

func TestWithoutAnyNodeImageOneIsToldWhyAndWhatToDo(t *testing.T) {
	alone := chooser{engine: &shelf{closed: true}, airgap: &workshop{fails: true}, upstream: published}
	_, err := alone.choose(t.Context(), false, func(string) {})
	if !errors.Is(err, errClosed) || !strings.Contains(err.Error(), "stack airgap") {
		t.Errorf("it says %v", err)
	}
	_, err = alone.choose(t.Context(), true, func(string) {})
	if !errors.Is(err, errClosed) || !strings.Contains(err.Error(), "not root") {
		t.Errorf("it says %v", err)
	}
}

func TestAnInterruptBuildsNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	airgap := &workshop{}
	_, err := chooser{engine: &shelf{closed: true}, airgap: airgap, upstream: published}.choose(ctx, true, func(string) {})
	if !errors.Is(err, cause) || airgap.built {
		t.Errorf("got %v, built %v", err, airgap.built)
	}
}

func TestWhetherKindIsPossibleIsSaidWithItsReasonAndNothingIsDone(t *testing.T) {
	for name, c := range map[string]struct {
		engine   shelf
		airgap   workshop
		cgroupV1 bool
		yes      bool
		says     string
	}{
		"what was built is there":              {shelf{closed: true}, workshop{there: true}, true, true, "built already"},
		"the engine has all":                   {shelf{images: []string{published, postgres}, closed: true}, workshop{}, false, true, "the engine has"},
		"a registry answers":                   {shelf{}, workshop{}, false, true, "2 images can be pulled"},
		"no registry answers":                  {shelf{closed: true}, workshop{}, false, false, "stack airgap"},
		"only the node is there":               {shelf{images: []string{published}, closed: true}, workshop{}, false, false, "lacks " + postgres},
		"the machine's control groups are old": {shelf{}, workshop{}, true, false, "cgroup v1"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := chooser{
				engine: &c.engine, airgap: &c.airgap, cgroupV1: c.cgroupV1, upstream: published, foreign: []string{postgres},
			}
			yes, reason := asked.possible(t.Context())
			if yes != c.yes || !strings.Contains(reason, c.says) {
				t.Errorf("%v: %s; want %v with %q", yes, reason, c.yes, c.says)
			}
			if len(c.engine.pulled) > 0 || c.airgap.built {
				t.Error("it did something")
			}
		})
	}
}
