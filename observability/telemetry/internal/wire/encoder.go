package wire

import (
	"bytes"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// typicalSpan is the size that most spans fit, in bytes.
	typicalSpan = 512
	// maxSpares bounds the buffers that wait for the next span, and maxKept the size of each, so that neither a burst nor
	// one giant stays in memory for ever.
	maxSpares = 1024
	maxKept   = 4 << 10
	// maxRequest is the same for the buffer of requests.
	maxRequest = 1 << 20
)

// Encoder encodes one program's spans. Its buffers go round: what tracing costs is mostly what it leaves to the garbage
// collector. They are kept in a list, because a sync.Pool is emptied by the collections between two exports.
type Encoder struct {
	resource, schema []byte // what every span of the program shares, encoded once

	request atomic.Pointer[writer]

	mu     sync.Mutex
	spares []*writer
}

// NewEncoder makes an encoder for the spans of a resource.
func NewEncoder(res *resource.Resource) *Encoder {
	var described, schema writer
	start := described.begin(1)
	described.attributes(1, res.Attributes())
	described.end(start)
	schema.text(3, res.SchemaURL())
	return &Encoder{resource: described.buf, schema: schema.buf}
}

// Span is one encoded span.
type Span struct {
	scope instrumentation.Scope
	body  *writer
}

// Encode encodes a span that has ended.
func (e *Encoder) Encode(span sdktrace.ReadOnlySpan) Span {
	w := e.spare()
	w.span(span)
	return Span{scope: span.InstrumentationScope(), body: w}
}

func (e *Encoder) spare() *writer {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := len(e.spares) - 1
	if last < 0 {
		return &writer{make([]byte, 0, typicalSpan)}
	}
	w := e.spares[last]
	e.spares = e.spares[:last]
	return w
}

// reuse takes back the buffers of spans.
func (e *Encoder) reuse(spans []Span) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, span := range spans {
		if len(e.spares) < maxSpares && cap(span.body.buf) <= maxKept {
			span.body.buf = span.body.buf[:0]
			e.spares = append(e.spares, span.body)
		}
	}
}

// Request is the body of an ExportTraceServiceRequest. Close it when nobody reads it any more.
type Request struct {
	bytes.Reader
	from   *Encoder
	body   *writer
	closed atomic.Bool
}

// Close gives the body's space back.
func (r *Request) Close() error {
	if r.closed.CompareAndSwap(false, true) && cap(r.body.buf) <= maxRequest {
		r.body.buf = r.body.buf[:0]
		r.from.request.Store(r.body)
	}
	return nil
}

// Request puts spans into one request, grouped by the library that made them. The spans are used up.
func (e *Encoder) Request(spans []Span) *Request {
	byScope := map[instrumentation.Scope][]Span{}
	size := len(e.resource) + len(e.schema)
	for _, span := range spans {
		byScope[span.scope] = append(byScope[span.scope], span)
		size += len(span.body.buf) + 4
	}
	w := e.request.Swap(nil)
	if w == nil || cap(w.buf) < size {
		w = &writer{make([]byte, 0, size+256*len(byScope))}
	}
	all := w.begin(1)
	w.buf = append(w.buf, e.resource...)
	for scope, made := range byScope {
		start := w.begin(2)
		w.scope(scope)
		for _, span := range made {
			w.bytes(2, span.body.buf)
		}
		w.text(3, scope.SchemaURL)
		w.end(start)
	}
	w.buf = append(w.buf, e.schema...)
	w.end(all)
	e.reuse(spans)
	request := &Request{from: e, body: w}
	request.Reset(w.buf)
	return request
}
