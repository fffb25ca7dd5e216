package telemetry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/sdk/resource"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/faultline-lab/faultline/observability/telemetry/internal/wire"
)

// maxAnswer is how much is read of what a backend answers; it has little to say.
const maxAnswer = 64 << 10

// spanExporter posts encoded spans to an OTLP/HTTP receiver. No compression and no retry: the receiver is near, and a
// retry holds the queue up while newer spans come.
type spanExporter struct {
	url       string
	encoder   *wire.Encoder
	transport *http.Transport
}

func newSpanExporter(base string, res *resource.Resource) (*spanExporter, error) {
	address, err := url.Parse(strings.TrimRight(base, "/") + "/v1/traces")
	if err != nil {
		return nil, err
	}
	if address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return nil, fmt.Errorf("%q is no base address: use one like http://127.0.0.1:4318", base)
	}
	return &spanExporter{url: address.String(), encoder: wire.NewEncoder(res), transport: &http.Transport{MaxIdleConns: 1, WriteBufferSize: 64 << 10}}, nil
}

func (e *spanExporter) send(ctx context.Context, spans []wire.Span) error {
	body := e.encoder.Request(spans)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, body)
	if err != nil {
		return err
	}
	request.ContentLength = int64(body.Len())
	request.Header.Set("Content-Type", "application/x-protobuf")
	response, err := e.transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("send spans: read the answer: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("send spans: %s: %.200s", response.Status, said)
	}
	return refusedSpans(said)
}

// refusedSpans reads a receiver's yes, which may mean no for some.
func refusedSpans(body []byte) error {
	var answer collectortrace.ExportTraceServiceResponse
	if err := proto.Unmarshal(body, &answer); err != nil {
		return nil //nolint:nilerr // it said yes, in words we cannot read
	}
	if refused := answer.GetPartialSuccess().GetRejectedSpans(); refused > 0 {
		return partlyRefused{int(refused), answer.GetPartialSuccess().GetErrorMessage()}
	}
	return nil
}

// partlyRefused is the error of an export of which the rest was taken.
type partlyRefused struct {
	records int
	reason  string
}

func (e partlyRefused) Error() string {
	return fmt.Sprintf("%d records were refused: %s", e.records, e.reason)
}
