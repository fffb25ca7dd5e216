package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/autoheal/store"
)

const noQuestion = "there is no open question about this incident: it was answered or has expired, the healer asked anew, or never asked; " +
	"GET /api/v1/incidents/{id} shows what it is about now"

// authorize lets through who has the token.
func (a *api) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !a.token.Set():
			problem.Write(w, problem.Forbidden, "changes are switched off here: start autoheal with --api-token-file to allow them")
		case !a.token.In(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem.Write(w, problem.Unauthorized, "the bearer token is missing or wrong: send the one of the API token file")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Answer is the body of POST /api/v1/incidents/{id}/approve and deny.
type Answer struct {
	// By is who answers, in his own words: the token says only that he may.
	By      string `json:"by"`
	Comment string `json:"comment,omitempty"`
	// AskedAt is the question that he has read; the present one where it is left out.
	AskedAt *time.Time `json:"asked_at,omitempty"`
}

// Answered is what comes of it.
type Answered struct {
	IncidentID string    `json:"incident_id"`
	AskedAt    time.Time `json:"asked_at"`
	Answer     string    `json:"answer"`
	By         string    `json:"by"`
	Comment    string    `json:"comment"`
	At         time.Time `json:"at"`
}

func (a *api) answer(word string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body Answer
		err := errors.Join(decode(w, r, &body), named(body.By), short("comment", body.Comment))
		if err != nil {
			problem.Write(w, problem.BadRequest, first(err))
			return
		}
		answer := store.Answer{IncidentID: chi.URLParam(r, "id"), Answer: word, By: body.By, Comment: body.Comment, At: a.cfg.Now().UTC()}
		in, err := a.cfg.Records.Get(r.Context(), answer.IncidentID)
		if err == nil {
			answer.AskedAt, err = question(in, body.AskedAt)
		}
		if err == nil {
			err = a.cfg.People.SaveAnswer(r.Context(), answer)
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		a.cfg.Wake()
		a.cfg.Logger.InfoContext(r.Context(), "a person answered", "incident", in.ID, "decision", word, "by", body.By)
		problem.JSON(w, http.StatusAccepted, Answered(answer))
	}
}

// question is the one that is answered.
func question(in incident.Incident, asked *time.Time) (time.Time, error) {
	switch {
	case asked != nil:
		return *asked, nil
	case in.Approval == nil:
		return time.Time{}, store.ErrAnswered
	}
	return in.Approval.AskedAt, nil
}

// Pause is the body of POST /api/v1/pause.
type Pause struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

func (a *api) pause(w http.ResponseWriter, r *http.Request) {
	var body Pause
	err := errors.Join(decode(w, r, &body), named(body.By), short("reason", body.Reason))
	if err == nil && strings.TrimSpace(body.Reason) == "" {
		err = errors.New("reason is missing: say why, for those who find the healer paused")
	}
	if err != nil {
		problem.Write(w, problem.BadRequest, first(err))
		return
	}
	now := a.cfg.Now().UTC()
	if err := a.cfg.People.SetPause(r.Context(), &store.Pause{By: body.By, Reason: body.Reason, At: now}, body.By, now); err != nil {
		a.fail(w, r, err)
		return
	}
	a.cfg.Wake()
	a.cfg.Logger.InfoContext(r.Context(), "the healer was paused", "by", body.By, "reason", body.Reason)
	a.status(w, r)
}

// Resume is the body of POST /api/v1/resume.
type Resume struct {
	By string `json:"by"`
}

func (a *api) resume(w http.ResponseWriter, r *http.Request) {
	var body Resume
	if err := errors.Join(decode(w, r, &body), named(body.By)); err != nil {
		problem.Write(w, problem.BadRequest, first(err))
		return
	}
	if err := a.cfg.People.SetPause(r.Context(), nil, body.By, a.cfg.Now().UTC()); err != nil {
		a.fail(w, r, err)
		return
	}
	a.cfg.Wake()
	a.cfg.Logger.InfoContext(r.Context(), "the healer was resumed", "by", body.By)
	a.status(w, r)
}
