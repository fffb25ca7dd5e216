package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// answer is what came of one try.
type answer struct {
	taken bool
	// final means that the same request would be refused again.
	final      bool
	retryAfter time.Duration
	why        error
}

// errorBody is how much of a refusal is read, so that the connection can be used again.
const errorBody = 4 << 10

// attempt sends a notice once. A 2xx answer alone means that it was taken.
func (c *courier) attempt(ctx context.Context, n incident.Notice) answer {
	req, err := c.receiver.request(ctx, n, c.cfg.Incidents)
	if err != nil {
		return answer{why: err} // a secret's file or the store cannot be read now; both may come back
	}
	req.Header.Set("Idempotency-Key", key(n))
	res, err := c.client.Do(req)
	if err != nil {
		return answer{why: withoutURL(err)}
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, errorBody) // the status says it all
	why := fmt.Errorf("the receiver answered %d", res.StatusCode)
	switch status := res.StatusCode; {
	case status >= 200 && status < 300:
		return answer{taken: true}
	case status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests:
		return answer{retryAfter: retryAfter(res.Header, c.cfg.Now()), why: why}
	}
	return answer{final: true, why: why}
}

// key is the same at every try of a notice, and another one for the same number in another store.
func key(n incident.Notice) string {
	return fmt.Sprintf("autoheal-%d-%d", n.Seq, n.At.UnixNano())
}

// withoutURL leaves out where the request went: the path of a chat's webhook is its password.
func withoutURL(err error) error {
	if located := (*url.Error)(nil); errors.As(err, &located) {
		return located.Err
	}
	return err
}
