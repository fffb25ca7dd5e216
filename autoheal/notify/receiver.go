package notify

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/template"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Receiver is somebody who is told, as the file describes him (Load).
type Receiver struct {
	Name      string
	kinds     []incident.NoticeKind // all where empty
	pagesOnly bool
	timeout   time.Duration
	method    string
	url       secret
	headers   map[string]secret
	write     writer
}

// writer makes the body of a request.
type writer func(ctx context.Context, n incident.Notice, from Incidents) ([]byte, error)

// secret is a text from the file itself, or from a file that it names; that one is read anew each time, so that a changed
// password needs no restart.
type secret struct{ text, prefix, file string }

func (s secret) read() (string, error) {
	if s.file == "" {
		return s.text, nil
	}
	data, err := os.ReadFile(s.file)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("%s is empty: put the secret into it", s.file)
	}
	return s.prefix + text, nil
}

func (r Receiver) request(ctx context.Context, n incident.Notice, from Incidents) (*http.Request, error) {
	body, err := r.write(ctx, n, from)
	if err != nil {
		return nil, err
	}
	address, err := r.url.read()
	if err != nil {
		return nil, fmt.Errorf("the receiver's address: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the receiver's address: %w", withoutURL(err))
	}
	for name, value := range r.headers {
		text, err := value.read()
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		req.Header.Set(name, text)
	}
	return req, nil
}

// fromTemplate writes the body that the file describes.
func fromTemplate(t *template.Template) writer {
	return func(_ context.Context, n incident.Notice, _ Incidents) ([]byte, error) {
		var body bytes.Buffer
		err := t.Execute(&body, n)
		return body.Bytes(), err
	}
}
