// Package control is the API by which the edge is told how to treat checkouts and how to spread them. It has a port of its
// own, which customers do not reach. Everybody may read; a change needs the token.
package control

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
)

// Config is what the API needs; every field but Backlog is required.
type Config struct {
	Keeper *mode.Keeper
	Token  string
	// Backends says how many replicas each group has.
	Backends func() Backends
	// Backlog says what waits in the queue of accepted orders; without a queue it is nil, and accept is refused.
	Backlog func(context.Context) (Backlog, error)
}

// Backends are the replicas of the groups.
type Backends struct {
	Stable  int `json:"stable"`
	Standby int `json:"standby"`
}

// Backlog is what waits in the queue.
type Backlog struct {
	Waiting int `json:"waiting"`
	// OldestSeconds is how long the oldest of them has waited.
	OldestSeconds float64 `json:"oldest_s"`
}

type api struct{ Config }

// Handler is the API.
func Handler(cfg Config) (http.Handler, error) {
	if cfg.Keeper == nil || cfg.Token == "" || cfg.Backends == nil {
		return nil, errors.New("control: the API needs Keeper, Token and Backends")
	}
	a := api{cfg}
	r := chi.NewRouter()
	r.Get("/v1/state", a.show)
	r.Group(func(changes chi.Router) {
		changes.Use(a.authorised)
		changes.Put("/v1/mode", a.setMode)
		changes.Put("/v1/weights", a.setWeights)
	})
	return r, nil
}

// authorised lets changes pass that carry the token. Hashes of one length are compared, so that the time it takes tells
// nothing about the token.
func (a api) authorised(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(a.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given))
		if !bearer || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			apierror.Write(w, apierror.New(apierror.Unauthorized,
				"changes need the header `Authorization: Bearer TOKEN` with the token of storefront's --control-token-file"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// state is the answer to every call that succeeds.
type state struct {
	Mode         mode.Mode    `json:"mode"`
	ModeUntil    *time.Time   `json:"mode_until"`
	ModeBy       string       `json:"mode_by"`
	Admit        int          `json:"admit"`
	Weights      mode.Weights `json:"weights"`
	WeightsUntil *time.Time   `json:"weights_until"`
	WeightsBy    string       `json:"weights_by"`
	Queue        Backlog      `json:"queue"`
	Backends     Backends     `json:"backends"`
}

func (a api) show(w http.ResponseWriter, r *http.Request) {
	now, weights := a.Keeper.Mode(), a.Keeper.Weights()
	answer := state{
		Mode: now.Value.Mode, ModeUntil: instant(now.Until), ModeBy: now.By, Admit: now.Value.Admit,
		Weights: weights.Value, WeightsUntil: instant(weights.Until), WeightsBy: weights.By,
		Backends: a.Backends(),
	}
	if a.Backlog != nil {
		var err error
		if answer.Queue, err = a.Backlog(r.Context()); err != nil {
			apierror.Write(w, err)
			return
		}
	}
	jsonhttp.Write(w, http.StatusOK, answer)
}

// instant is nil for a time that will not come.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}
