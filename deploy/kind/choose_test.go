package kind

import (
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/ports"
)

func TestAClusterThatIsThereIsComparedBeforeAnythingIsPulledOrBuilt(t *testing.T) {
	const byHand = "docker rm -f -v x-control-plane"
	for name, c := range map[string]struct {
		marker   Marker
		cfg      Config
		airgap   workshop
		away     string
		want     string // the image, when it is used
		built    bool
		says     []string // of the refusal
		hasStack bool
	}{
		"one of the published image is used as it is": {marker: Marker{NodeImage: published}, want: published},
		"one of the image that is built now is used": {
			marker: Marker{NodeImage: "made:1", Airgapped: true}, airgap: workshop{there: true}, want: "made:1", hasStack: true,
		},
		"with another recipe nothing is built": {
			marker: Marker{NodeImage: "made:0", Airgapped: true}, cfg: Config{Explicit: true},
			says: []string{"made from made:0, and made:1 is wanted", "`stack kind down`"},
		},
		"with another image asked for nothing is looked for": {
			marker: Marker{NodeImage: published}, cfg: Config{NodeImage: "other:1", Explicit: true},
			says: []string{"other:1 is wanted", "`stack kind down`"},
		},
		"one that is not ours yet has to be taken away by hand": {
			marker: Marker{NodeImage: "made:0", Airgapped: true}, away: byHand, says: []string{"`" + byHand + "`"},
		},
		"what the engine lost is built when kind was asked for": {
			marker: Marker{NodeImage: "made:1", Airgapped: true}, cfg: Config{Explicit: true}, want: "made:1", built: true, hasStack: true,
		},
		"and else one is told how": {marker: Marker{NodeImage: "made:1", Airgapped: true}, says: []string{"`stack airgap`"}},
	} {
		t.Run(name, func(t *testing.T) {
			set := ports.Default()
			c.marker.Ports, c.cfg.Ports, c.cfg.Cluster = hostPorts(set), set, "x"
			if c.away == "" {
				c.away = "stack kind down"
			}
			engine := &shelf{}
			a := &ascent{cfg: c.cfg, there: &found{marker: &c.marker}, away: c.away}
			node, err := a.nodeThere(t.Context(), chooser{engine: engine, airgap: &c.airgap, upstream: published}, func(string) {})
			if (err != nil) != (len(c.says) > 0) {
				t.Fatalf("error %v", err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("it does not say %q: %v", part, err)
				}
			}
			if err == nil && (node.Image != c.want || (len(node.Stack) > 0) != c.hasStack) {
				t.Errorf("node %+v, want %s", node, c.want)
			}
			if len(engine.pulled) > 0 || c.airgap.built != c.built {
				t.Errorf("pulled %v, built %v", engine.pulled, c.airgap.built)
			}
		})
	}
}

func TestAnAirgappedNodeThatIsNamedNeedsTheImagesOfTheStack(t *testing.T) {
	cfg := Config{NodeImage: "made:1", Airgapped: true}
	choosing := chooser{engine: &shelf{images: []string{"made:1"}}, airgap: &workshop{}}
	if _, err := choosing.named(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "`stack airgap`") {
		t.Errorf("without them it says %v", err)
	}
	choosing.airgap = &workshop{there: true}
	node, err := choosing.named(t.Context(), cfg)
	if err != nil || len(node.Stack) == 0 {
		t.Errorf("with them: %+v, %v", node, err)
	}
}
