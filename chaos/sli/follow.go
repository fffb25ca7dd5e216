package sli

import (
	"bufio"
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

// ErrStop ends Follow without an error when its callback returns it.
var ErrStop = errors.New("stop following")

// maxLine bounds one line of the stream; a second is a few hundred bytes.
const maxLine = 1 << 20

// Follow calls each with every second from since on, oldest first, and goes on as new seconds finish. It returns nil
// after ErrStop, the context's error when that ends, each's error as it is, and an error when loadgen does not answer
// or its stream ends. A reader that reconnects passes the start of the second after the last it has seen.
func Follow(ctx context.Context, baseURL string, since time.Time, each func(Second) error) error {
	return read(ctx, baseURL, since, true, each)
}

// Read returns the seconds that are finished by now, from since on, oldest first.
func Read(ctx context.Context, baseURL string, since time.Time) ([]Second, error) {
	var seconds []Second
	err := read(ctx, baseURL, since, false, func(s Second) error {
		seconds = append(seconds, s)
		return nil
	})
	return seconds, err
}

func read(ctx context.Context, baseURL string, since time.Time, follow bool, each func(Second) error) error {
	body, err := open(ctx, baseURL, since, follow)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var second Second
		if err := json.Unmarshal(lines.Bytes(), &second); err != nil {
			return fmt.Errorf("loadgen sent a line that is no second: %w: %q", err, abbreviate(lines.Text()))
		}
		if err := each(second); err != nil {
			if errors.Is(err, ErrStop) {
				return nil
			}
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the client's seconds: %w", err)
	}
	if follow {
		return fmt.Errorf("loadgen at %s ended the stream of seconds: is it still running?: %w", baseURL, io.ErrUnexpectedEOF)
	}
	return nil
}

func open(ctx context.Context, baseURL string, since time.Time, follow bool) (io.ReadCloser, error) {
	query := url.Values{"since": {since.UTC().Format(time.RFC3339Nano)}}
	if follow {
		query.Set("follow", "true")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/v1/sli?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("loadgen does not answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return nil, fmt.Errorf("loadgen answered %s to /v1/sli: %s", response.Status, strings.TrimSpace(string(text)))
	}
	return response.Body, nil
}

func abbreviate(line string) string {
	if len(line) > 120 {
		return line[:120] + "..."
	}
	return line
}
