package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/observability/command"
)

// running says where a running autoheal answers.
type running struct {
	URL  string `env:"FAULTLINE_AUTOHEAL_URL" default:"http://127.0.0.1:8090" help:"Where the running autoheal answers."`
	JSON bool   `name:"json" help:"Print the records as the API gives them."`
}

type incidentsCommand struct {
	running
	Since   time.Duration `default:"24h" help:"How far back to look."`
	State   []string      `help:"Only those in this state, such as awaiting; open stands for all but closed and escalated. May be repeated."`
	Open    bool          `help:"Short for --state=open."`
	Limit   int           `help:"At most so many, the newest."`
	Columns []string      `default:"id,workload,state,outcome,cause,actions,reason" enum:"${columns}" help:"What to print of each, in this order: ${columns}."`
}

// Run prints a table of incidents.
func (c incidentsCommand) Run(ctx context.Context, to command.Output) error {
	var list api.List
	query := url.Values{"since": {time.Now().Add(-c.Since).UTC().Format(time.RFC3339)}, "state": c.State}
	if c.Open {
		query.Add("state", "open")
	}
	if c.Limit != 0 {
		query.Set("limit", strconv.Itoa(c.Limit))
	}
	raw, err := c.get(ctx, "/api/v1/incidents?"+query.Encode(), &list)
	if err != nil || c.JSON {
		return printRaw(to, raw, err)
	}
	if len(list.Incidents) == 0 {
		_, err := fmt.Fprintf(to.Out, "no incidents within %s\n", c.Since)
		return err
	}
	return table(to.Out, list.Incidents, c.Columns)
}

type showCommand struct {
	running
	ID string `arg:"" help:"The incident's id, as autoheal incidents lists it."`
}

// Run prints one incident as a person wants to read it: reason, times, evidence, verdicts, actions, audit.
func (c showCommand) Run(ctx context.Context, to command.Output) error {
	var in incident.Incident
	path := "/api/v1/incidents/" + url.PathEscape(c.ID)
	raw, err := c.get(ctx, path, &in)
	if err != nil || c.JSON {
		return printRaw(to, raw, err)
	}
	var audit api.Audit
	if _, err := c.get(ctx, path+"/audit", &audit); err != nil {
		return err
	}
	return show(to.Out, in, audit.Entries)
}

func printRaw(to command.Output, raw []byte, err error) error {
	if err != nil {
		return err
	}
	_, err = to.Out.Write(raw)
	return err
}

// get asks the running autoheal and decodes its answer.
func (r running) get(ctx context.Context, path string, into any) ([]byte, error) {
	return r.call(ctx, http.MethodGet, path, "", nil, into)
}

// call asks the running autoheal and decodes its answer. No body is sent where it is nil, and no token where there is none.
func (r running) call(ctx context.Context, method, path, token string, body, into any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.URL, "/")+path, sent)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no autoheal answers at %s (is the stack up? `make up`): %w", r.URL, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		var answer problem.Answer
		if json.Unmarshal(raw, &answer) == nil && answer.Error.Message != "" {
			return nil, fmt.Errorf("%s: %s", res.Status, answer.Error.Message)
		}
		return nil, fmt.Errorf("%s answered %s: is that an autoheal?", r.URL, res.Status)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, fmt.Errorf("%s: the answer is none of autoheal's: %w", r.URL, err)
	}
	return raw, nil
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
