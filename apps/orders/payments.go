package orders

import (
	"context"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
)

// Provider is the Payments at the payments service.
type Provider struct {
	client  *http.Client
	base    string
	timeout time.Duration
}

// NewProvider makes a client; timeout bounds each call.
func NewProvider(client *http.Client, baseURL string, timeout time.Duration) *Provider {
	return &Provider{client: client, base: baseURL, timeout: timeout}
}

// Authorize authorises the order's total, once for each key however often it is called.
func (p *Provider) Authorize(ctx context.Context, key string, order Order) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	type payment struct {
		OrderID     string `json:"order_id"`
		AmountCents int64  `json:"amount_cents"`
		Customer    string `json:"customer"`
	}
	var authorized struct {
		AuthorizationID string `json:"authorization_id"`
	}
	err := jsonhttp.Do(ctx, p.client, jsonhttp.Call{
		Method: http.MethodPost, URL: p.base + "/authorizations", IdempotencyKey: key,
		Body: payment{order.ID, order.TotalCents, order.Customer}, Into: &authorized,
	})
	return authorized.AuthorizationID, named("payments", err)
}
