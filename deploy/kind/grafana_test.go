package kind

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
)

func TestGrafanaComesWhereItsImageCanBeHad(t *testing.T) {
	const image = "grafana:1"
	for name, c := range map[string]struct {
		shelf  shelf
		want   bool
		pulled int
	}{
		"because the engine has it":          {shelf{images: []string{image}, closed: true}, true, 0},
		"because the engine can pull it":     {shelf{}, true, 1},
		"or not, where no registry answers":  {shelf{closed: true}, false, 0},
		"or not, where another one is there": {shelf{images: []string{"other:1"}, closed: true}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			had, err := canHave(t.Context(), &c.shelf, []string{image}, func(string) {})
			if err != nil || had != c.want || len(c.shelf.pulled) != c.pulled {
				t.Errorf("had %v, pulled %v, %v", had, c.shelf.pulled, err)
			}
		})
	}
}

func TestAnInterruptWhileGrafanaIsPulledEndsTheWayUp(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if had, err := canHave(ctx, &shelf{closed: true}, []string{"grafana:1"}, func(string) {}); had || !errors.Is(err, cause) {
		t.Errorf("had %v, %v", had, err)
	}
}

func TestAnAirgappedNodeGetsNoGrafana(t *testing.T) {
	a := ascent{node: made()}
	if err := a.addGrafana(t.Context(), func(string) {}); err != nil || a.grafana {
		t.Errorf("added %v, %v", a.grafana, err)
	}
}

func TestOnlyAStackWithGrafanaSaysWhereItAnswers(t *testing.T) {
	for with, want := range map[bool]string{true: "http://127.0.0.1:3000", false: ""} {
		stack := addresses(Config{Ports: ports.Default()}, files{}, "shop", nil, time.Time{}, with)
		if stack.Endpoints.Grafana != want {
			t.Errorf("with Grafana %v: %q", with, stack.Endpoints.Grafana)
		}
	}
}
