package loadgen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// ClientDeadline is how long a customer waits, from the moment the request leaves.
const ClientDeadline = time.Second

// maxAnswer bounds what is read of an answer, in bytes; the whole of it must be read for the connection to be reused.
const maxAnswer = 1 << 20

// NewTransport keeps as many connections as there may be requests in flight, so that a stall does not turn into a
// storm of new connections when it ends.
func NewTransport(maxInFlight int) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: ClientDeadline, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns:        maxInFlight,
		MaxIdleConnsPerHost: maxInFlight,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
}

// HTTPShopConfig is what an HTTPShop needs.
type HTTPShopConfig struct {
	BaseURL string // of storefront
	// Transport sends the requests and carries the trace on (telemetry.Transport).
	Transport http.RoundTripper
	Tracer    trace.Tracer
}

// HTTPShop is storefront as its customers reach it.
type HTTPShop struct {
	base   string
	client *http.Client
	tracer trace.Tracer
}

// NewHTTPShop checks the configuration; it calls nobody.
func NewHTTPShop(config HTTPShopConfig) (*HTTPShop, error) {
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Host == "" || base.Scheme == "" {
		return nil, fmt.Errorf("loadgen: %q is no address of storefront: write it like http://127.0.0.1:8080", config.BaseURL)
	}
	if config.Transport == nil || config.Tracer == nil {
		return nil, errors.New("loadgen: HTTPShopConfig needs a Transport and a Tracer")
	}
	return &HTTPShop{
		base:   strings.TrimRight(config.BaseURL, "/"),
		client: &http.Client{Transport: config.Transport, CheckRedirect: noRedirect},
		tracer: config.Tracer,
	}, nil
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Checkout places one order, in a trace of its own.
func (s *HTTPShop) Checkout(ctx context.Context, checkout Checkout) (int, trace.SpanContext) {
	body, err := json.Marshal(checkout)
	if err != nil {
		return 0, trace.SpanContext{}
	}
	return s.do(ctx, "checkout", func(ctx context.Context) (*http.Request, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/checkout", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", checkout.Key)
		return request, nil
	}, attribute.String("faultline.idempotency_key", checkout.Key), attribute.String("faultline.sku", checkout.Items[0].SKU))
}

// Browse reads a product page.
func (s *HTTPShop) Browse(ctx context.Context, sku string) int {
	status, _ := s.do(ctx, "browse", func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/products/"+url.PathEscape(sku), nil)
	}, attribute.String("faultline.sku", sku))
	return status
}

// do sends one request under a span of its own, so that the trace is known whatever becomes of the request.
func (s *HTTPShop) do(ctx context.Context, name string, build func(context.Context) (*http.Request, error), about ...attribute.KeyValue) (int, trace.SpanContext) {
	ctx, span := s.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithAttributes(about...))
	defer span.End()
	ctx, cancel := context.WithTimeout(ctx, ClientDeadline)
	defer cancel()

	status, err := s.send(ctx, build)
	switch {
	case err != nil:
		span.SetStatus(codes.Error, err.Error())
	case status >= 500 || status == 408 || status == 429:
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	return status, span.SpanContext()
}

// send returns a status only when the whole answer has arrived.
func (s *HTTPShop) send(ctx context.Context, build func(context.Context) (*http.Request, error)) (int, error) {
	request, err := build(ctx)
	if err != nil {
		return 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)); err != nil {
		return 0, fmt.Errorf("the answer broke off: %w", err)
	}
	return response.StatusCode, nil
}
