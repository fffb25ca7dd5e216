package query

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
)

const (
	defaultTimeout = 5 * time.Second
	maxAnswer      = 64 << 20 // bytes; more is a mistake in the question, and would only end this program
	maxFirstLine   = 300      // bytes of an error's body that are worth carrying
)

// ErrNoData says that the question was understood and answered, and that there is nothing. It is never a zero.
var ErrNoData = errors.New("no data")

// Config says where one system answers.
type Config struct {
	URL    string       // base, for example http://127.0.0.1:9090; required
	Client *http.Client // nil means http.DefaultClient
	// Timeout bounds each question, beside the caller's context; 0 means 5 s.
	Timeout time.Duration
}

// Error is a question that was not answered.
type Error struct {
	System string // prometheus, loki, jaeger
	Query  string
	Status int    // HTTP status; 0 when no answer came
	Body   string // the answer's first line, when Status is not 2xx
	Err    error  // nil when Status says it all
}

func (e *Error) Error() string {
	var what string
	switch {
	case e.Status != 0 && e.Err != nil:
		what = fmt.Sprintf("answered %d, which makes no sense: %v", e.Status, e.Err)
	case e.Status != 0:
		what = fmt.Sprintf("answered %d: %s", e.Status, e.Body)
	default:
		what = e.Err.Error()
	}
	return fmt.Sprintf("%s: %s: %s", e.System, e.Query, what)
}

// Unwrap gives the cause, so that errors.Is finds ErrNoData and context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.Err }

// endpoint is one system's HTTP API.
type endpoint struct {
	system  string
	base    *url.URL
	client  *http.Client
	timeout time.Duration
}

func newEndpoint(system string, cfg Config) (*endpoint, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("query: %s: URL %q: use something like http://127.0.0.1:9090", system, cfg.URL)
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("query: %s: Timeout is %s: use a positive one, or 0 for %s", system, cfg.Timeout, defaultTimeout)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	return &endpoint{system: system, base: base, client: cfg.Client, timeout: cfg.Timeout}, nil
}

// get asks and decodes the JSON answer. What it returns is an *Error with the query in it.
func (e *endpoint) get(ctx context.Context, query, path string, params url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()

	address := e.base.JoinPath(path)
	address.RawQuery = params.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return e.failed(query, err)
	}
	response, body, err := e.do(request)
	if err != nil {
		return e.failed(query, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &Error{System: e.system, Query: query, Status: response.StatusCode, Err: err}
	}
	return nil
}

// do sends the request and reads the whole answer. Any status but 2xx is an *Error, still without a query.
func (e *endpoint) do(request *http.Request) (*http.Response, []byte, error) {
	response, err := e.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return response, nil, err
	}
	if len(body) > maxAnswer {
		return response, nil, fmt.Errorf("the answer is larger than %d MB: ask for less", maxAnswer>>20)
	}
	if response.StatusCode/100 != 2 {
		return response, nil, &Error{System: e.system, Status: response.StatusCode, Body: firstLine(body)}
	}
	return response, body, nil
}

// failed puts the query into an error.
func (e *endpoint) failed(query string, err error) error {
	if err == nil {
		return nil
	}
	var status *Error
	if errors.As(err, &status) {
		named := *status
		named.Query = query
		return &named
	}
	return &Error{System: e.system, Query: query, Err: err}
}

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if len(line) > maxFirstLine {
		line = strings.ToValidUTF8(line[:maxFirstLine], "") + "..."
	}
	return strings.TrimSpace(line)
}
