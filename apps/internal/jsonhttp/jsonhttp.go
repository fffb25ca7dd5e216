// Package jsonhttp speaks JSON over HTTP in both directions: bodies are bounded and errors are apierror's.
package jsonhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// MaxBody is the largest body that is read, in bytes: an order of 20 lines takes 2 KiB.
const MaxBody = 64 << 10

// Read decodes a request's body. Its errors are bad_request or too_large. Unknown keys are let through, so that an
// older replica serves a newer caller.
func Read(r *http.Request, into any) error {
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return apierror.New(apierror.TooLarge, "the body is larger than %d bytes; send a smaller one", MaxBody)
	case err != nil:
		return apierror.New(apierror.BadRequest, "the body broke off; send it again").Because(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return apierror.New(apierror.BadRequest, "the body is not the JSON that is expected here: %v", err)
	}
	return nil
}

// Write answers with a JSON body.
func Write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that has gone away cannot be told.
	_ = json.NewEncoder(w).Encode(value)
}

// Call is one request to another service.
type Call struct {
	Method, URL string
	// IdempotencyKey is sent as the header of that name when it is not empty.
	IdempotencyKey string
	// Header are further headers.
	Header http.Header
	// Body is sent as JSON; nil sends none.
	Body any
	// Into takes a success's body; nil ignores it.
	Into any
}

// Do sends the call. An answer that is not a success comes back as the *apierror.Error that the other side meant; a
// failure to get an answer is unavailable, or timeout when the context's deadline passed, with its cause.
func Do(ctx context.Context, client *http.Client, call Call) error {
	request, err := call.request(ctx)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return noAnswer(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return apierror.Read(response)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return noAnswer(ctx, err)
	}
	if call.Into == nil {
		return nil
	}
	if err := json.Unmarshal(data, call.Into); err != nil {
		return fmt.Errorf("%s %s answered with something else than JSON: %w", call.Method, call.URL, err)
	}
	return nil
}

func (c Call) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if c.Body != nil {
		data, err := json.Marshal(c.Body)
		if err != nil {
			return nil, fmt.Errorf("encode the body of %s %s: %w", c.Method, c.URL, err)
		}
		// A bytes.Reader lets net/http send it again when a kept connection turns out to be closed.
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, c.Method, c.URL, body)
	if err != nil {
		return nil, fmt.Errorf("request %s %s: %w", c.Method, c.URL, err)
	}
	maps.Copy(request.Header, c.Header)
	if c.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.IdempotencyKey != "" {
		request.Header.Set("Idempotency-Key", c.IdempotencyKey)
	}
	return request, nil
}

func noAnswer(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return apierror.New(apierror.Timeout, "a service behind this one did not answer in time; try again").Because(err)
	}
	return apierror.New(apierror.Unavailable, "a service behind this one cannot be reached; try again").Because(err)
}

// NeverSent says that the call failed while its connection was being made, so nothing of it was sent and another
// server may be asked.
func NeverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// NewTransport makes the transport for calls between our own services: no proxy, a bounded dial, and enough kept
// connections that a busy second makes no new ones.
func NewTransport(dialTimeout time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
}
