package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// The errors of reading an incident. Their texts say what to do next.
var (
	ErrNotFound    = errors.New("autoheal has no such incident: `postmortem list` shows those it has")
	ErrNone        = errors.New("autoheal has no incident yet: there is nothing to write about")
	ErrUnreachable = errors.New("autoheal does not answer: start the stack with `make up`, name another address with --autoheal, or give the incident as a JSON file")
)

// maxAnswer bounds an answer: a record with thousands of alerts is some megabytes.
const maxAnswer = 64 << 20

// Config is what an API client needs.
type Config struct {
	BaseURL string        // of autoheal; required
	Timeout time.Duration // of one call; default 10 s
}

// API reads from autoheal.
type API struct {
	base string
	http *http.Client
}

// NewAPI returns a client. It returns an error when the base URL is missing or is no URL.
func NewAPI(cfg Config) (*API, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("autoheal's address %q is no URL: give one such as http://127.0.0.1:8090", cfg.BaseURL)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	return &API{base: strings.TrimRight(cfg.BaseURL, "/"), http: &http.Client{Timeout: cfg.Timeout}}, nil
}

// Path is where the incident's record is read, as a report cites it.
func Path(id string) string { return "/api/v1/incidents/" + url.PathEscape(id) }

// AuditPath is where the incident's audit is read.
func AuditPath(id string) string { return Path(id) + "/audit" }

// Incident reads one record. It returns ErrNotFound or ErrUnreachable.
func (a *API) Incident(ctx context.Context, id string) (incident.Incident, error) {
	var in incident.Incident
	if err := a.get(ctx, Path(id), &in); err != nil {
		return in, err
	}
	if in.ID == "" {
		return in, fmt.Errorf("%s answered without an incident id: is that autoheal?", a.base+Path(id))
	}
	return in, nil
}

// Incidents reads all records, newest first.
func (a *API) Incidents(ctx context.Context) ([]incident.Incident, error) {
	var answer struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	err := a.get(ctx, "/api/v1/incidents", &answer)
	return answer.Incidents, err
}

// Latest reads the newest record. It returns ErrNone when there is none.
func (a *API) Latest(ctx context.Context) (incident.Incident, error) {
	all, err := a.Incidents(ctx)
	if err != nil {
		return incident.Incident{}, err
	}
	if len(all) == 0 {
		return incident.Incident{}, ErrNone
	}
	return all[0], nil
}

// Audit reads an incident's audit entries, oldest first.
func (a *API) Audit(ctx context.Context, id string) ([]incident.Entry, error) {
	var answer struct {
		Entries []incident.Entry `json:"entries"`
	}
	err := a.get(ctx, AuditPath(id), &answer)
	return answer.Entries, err
}

func (a *API) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := a.http.Do(request)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrUnreachable, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w (%w)", ErrUnreachable, err)
	case len(body) > maxAnswer:
		return fmt.Errorf("%s: the answer is larger than %d bytes", a.base+path, maxAnswer)
	case response.StatusCode == http.StatusNotFound:
		return ErrNotFound
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answered %s: %s", a.base+path, response.Status, message(body))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: the answer is not what autoheal's API promises: %w", a.base+path, err)
	}
	return nil
}

// message is the text of an error in the form that all programs share, else the beginning of the body.
func message(body []byte) string {
	var answer struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Error.Message != "" {
		return answer.Error.Message
	}
	const enough = 200
	return strings.TrimSpace(string(body[:min(len(body), enough)]))
}
