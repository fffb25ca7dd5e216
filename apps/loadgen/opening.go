package loadgen

import (
	"context"
	"io"
	"net/http"
	"time"
)

// openingPoll is how often a shop that has not opened yet is looked at.
const openingPoll = 200 * time.Millisecond

// awaitOpening returns when the shop serves, or says false when bound has passed or ctx has ended. Where nobody starts the
// services in order, load from the first moment on would be an outage that the alerts rightly report and that means
// nothing. The shop serves when its catalogue answers, and orders says of an order that nobody has placed that there is
// none.
func awaitOpening(ctx context.Context, client *http.Client, base string, bound time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for {
		if serves(ctx, client, base+"/products", http.StatusOK) && serves(ctx, client, base+"/orders/opening", http.StatusNotFound) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(openingPoll):
		}
	}
}

func serves(ctx context.Context, client *http.Client, url string, status int) bool {
	ctx, cancel := context.WithTimeout(ctx, ClientDeadline)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	return err == nil && response.StatusCode == status
}
