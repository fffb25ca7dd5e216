package orders

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
)

// Inventory is the Stock at the inventory service.
type Inventory struct {
	client  *http.Client
	base    string
	timeout time.Duration
}

// NewInventory makes a client; timeout bounds each call.
func NewInventory(client *http.Client, baseURL string, timeout time.Duration) *Inventory {
	return &Inventory{client: client, base: baseURL, timeout: timeout}
}

// Reserve reserves the items and gives what they cost without discount.
func (i *Inventory) Reserve(ctx context.Context, reservationID string, items []Item) (int64, error) {
	type reservation struct {
		ReservationID string `json:"reservation_id"`
		Items         []Item `json:"items"`
	}
	var reserved struct {
		TotalCents int64 `json:"total_cents"`
	}
	err := i.call(ctx, jsonhttp.Call{
		Method: http.MethodPost, URL: i.base + "/reservations",
		Body: reservation{reservationID, items}, Into: &reserved,
	})
	return reserved.TotalCents, err
}

// Commit makes the reservation final.
func (i *Inventory) Commit(ctx context.Context, reservationID string) error {
	return i.end(ctx, reservationID, "commit")
}

// Release gives the reserved stock back.
func (i *Inventory) Release(ctx context.Context, reservationID string) error {
	return i.end(ctx, reservationID, "release")
}

func (i *Inventory) end(ctx context.Context, reservationID, how string) error {
	return i.call(ctx, jsonhttp.Call{
		Method: http.MethodPost, URL: i.base + "/reservations/" + url.PathEscape(reservationID) + "/" + how,
		// Not a second name for the request: it lets net/http send it again over a fresh connection.
		IdempotencyKey: reservationID + "/" + how,
	})
}

func (i *Inventory) call(ctx context.Context, call jsonhttp.Call) error {
	ctx, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	return named("inventory", jsonhttp.Do(ctx, i.client, call))
}

// named says which service an error came from. An internal error over there is "unavailable" here: the customer can
// only try again.
func named(service string, err error) error {
	var known *apierror.Error
	if !errors.As(err, &known) {
		return err
	}
	code := known.Code
	if code == apierror.Internal {
		code = apierror.Unavailable
	}
	if code == apierror.Unprocessable {
		return known
	}
	return apierror.New(code, "%s: %s", service, known.Message).Because(err)
}
