// Package wire writes spans as OTLP protobuf, straight into bytes.
//
// OpenTelemetry's own exporter builds a tree of messages first (three allocations for each attribute) and walks it by
// reflection; that was the largest single part of what an order's tracing cost. What this package writes is what that one
// writes, and a test holds the two together; only text that is not UTF-8 is mended here, where the other would lose the
// whole batch.
package wire
