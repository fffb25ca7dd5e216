package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// person is somebody who changes something, and may.
type person struct {
	running
	By        string `required:"" help:"Who you are, in your own words: it is recorded with the incident and in the audit."`
	TokenFile string `env:"FAULTLINE_API_TOKEN_FILE" help:"File with the token of --api-token-file of the running autoheal. Default: that of the stack that runs here."`
}

// post sends a change with the token.
func (p person) post(ctx context.Context, path string, body, into any) ([]byte, error) {
	if p.TokenFile == "" {
		stack, err := endpoints.Read(endpoints.DefaultFile)
		if err != nil || stack.APITokenFile == "" {
			return nil, errors.New("whose token? Give --token-file the file that the running autoheal has as --api-token-file")
		}
		p.TokenFile = stack.APITokenFile
	}
	secret, err := token("--token-file", p.TokenFile)
	if err != nil {
		return nil, err
	}
	return p.call(ctx, "POST", path, secret, body, into)
}

type answerFlags struct {
	person
	ID      string    `arg:"" help:"The incident's id, as 'autoheal incidents --state=awaiting' lists it."`
	Comment string    `help:"Why, for those who read it later."`
	AskedAt time.Time `help:"The question that you have read (asked in 'autoheal show'); without it, the present one is answered, whatever it is by now."`
}

func (a answerFlags) send(ctx context.Context, to command.Output, word string) error {
	body := api.Answer{By: a.By, Comment: a.Comment}
	if !a.AskedAt.IsZero() {
		body.AskedAt = &a.AskedAt
	}
	var answered api.Answered
	raw, err := a.post(ctx, "/api/v1/incidents/"+url.PathEscape(a.ID)+"/"+word, body, &answered)
	if err != nil || a.JSON {
		return printRaw(to, raw, err)
	}
	_, err = fmt.Fprintf(to.Out, "%s: %s by %s; autoheal show %s says what comes of it\n", answered.IncidentID, answered.Answer, answered.By,
		answered.IncidentID)
	return err
}

type approveCommand struct{ answerFlags }

// Run approves.
func (c approveCommand) Run(ctx context.Context, to command.Output) error {
	return c.send(ctx, to, "approve")
}

type denyCommand struct{ answerFlags }

// Run denies.
func (c denyCommand) Run(ctx context.Context, to command.Output) error {
	return c.send(ctx, to, "deny")
}

type pauseCommand struct {
	person
	Reason string `required:"" help:"Why, for those who find the healer paused."`
}

// Run pauses the healer.
func (c pauseCommand) Run(ctx context.Context, to command.Output) error {
	var s api.Status
	raw, err := c.post(ctx, "/api/v1/pause", api.Pause{By: c.By, Reason: c.Reason}, &s)
	if err != nil || c.JSON {
		return printRaw(to, raw, err)
	}
	return printStatus(to, s)
}

type resumeCommand struct{ person }

// Run lets the healer act again.
func (c resumeCommand) Run(ctx context.Context, to command.Output) error {
	var s api.Status
	raw, err := c.post(ctx, "/api/v1/resume", api.Resume{By: c.By}, &s)
	if err != nil || c.JSON {
		return printRaw(to, raw, err)
	}
	return printStatus(to, s)
}

type statusCommand struct{ running }

// Run prints how the healer stands.
func (c statusCommand) Run(ctx context.Context, to command.Output) error {
	var s api.Status
	raw, err := c.get(ctx, "/api/v1/status", &s)
	if err != nil || c.JSON {
		return printRaw(to, raw, err)
	}
	return printStatus(to, s)
}

func printStatus(to command.Output, s api.Status) error {
	paused := "no"
	if s.Paused != nil {
		paused = fmt.Sprintf("by %s since %s: %s", s.Paused.By, s.Paused.At.UTC().Format(time.RFC3339), s.Paused.Reason)
	}
	_, err := fmt.Fprintf(to.Out, "paused       %s\nkill switch  %s\nautonomy     %s\nopen         %d incidents, %d of them wait for an answer\n", paused,
		s.KillSwitch, s.Autonomy, s.Open, s.Awaiting)
	return err
}
