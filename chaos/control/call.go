package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Refusal is an answer of another status than 2xx. It is ErrConflict when its status is 409.
type Refusal struct {
	Status  int
	Message string // what the other side says, for people
	call    string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", r.call, r.Status, http.StatusText(r.Status), r.Message)
}

// NewRefusal reads the answer to a call.
func NewRefusal(status int, call string, answer []byte) *Refusal {
	return &Refusal{Status: status, Message: message(answer), call: call}
}

// Is makes a 409 an ErrConflict.
func (r *Refusal) Is(target error) bool {
	return target == ErrConflict && r.Status == http.StatusConflict
}

// Call sends one request and reads its answer, both JSON; a nil body or into means none. An answer other than 2xx is a
// *Refusal; any other error means that there was no answer, or not the one that was agreed.
func Call(ctx context.Context, client *http.Client, header http.Header, method, url string, body, into any) error {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, payload)
	if err != nil {
		return err
	}
	if header != nil {
		request.Header = header.Clone()
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return NewRefusal(response.StatusCode, method+" "+request.URL.Path, text)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("%s %s: the answer is not what was agreed: %w", method, request.URL.Path, err)
	}
	return nil
}

// message is the sentence in an error's body, in the form of docs/contracts.md or of Toxiproxy; else the body itself.
func message(text []byte) string {
	var body struct {
		Error any `json:"error"`
	}
	if json.Unmarshal(text, &body) == nil {
		switch said := body.Error.(type) {
		case string:
			return said
		case map[string]any:
			if sentence, ok := said["message"].(string); ok && sentence != "" {
				return sentence
			}
		}
	}
	return strings.TrimSpace(string(text))
}
