package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
)

// plainValues turns values of string types of one's own ("type Status string") into strings, and what can say itself in
// words into those words. The OTLP bridge knows neither, and would write "unhandled: (orders.Status) confirmed".
type plainValues struct{ slog.Handler }

func (h plainValues) Handle(ctx context.Context, record slog.Record) error {
	odd := false
	record.Attrs(func(attr slog.Attr) bool {
		odd = attr.Value.Kind() == slog.KindAny || attr.Value.Kind() == slog.KindLogValuer || attr.Value.Kind() == slog.KindGroup
		return !odd
	})
	if !odd {
		return h.Handler.Handle(ctx, record)
	}
	plainly := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	record.Attrs(func(attr slog.Attr) bool {
		plainly.AddAttrs(plain(attr))
		return true
	})
	return h.Handler.Handle(ctx, plainly)
}

func (h plainValues) WithAttrs(attrs []slog.Attr) slog.Handler {
	plainly := make([]slog.Attr, len(attrs))
	for i, attr := range attrs {
		plainly[i] = plain(attr)
	}
	return plainValues{h.Handler.WithAttrs(plainly)}
}

func (h plainValues) WithGroup(name string) slog.Handler {
	return plainValues{h.Handler.WithGroup(name)}
}

func plain(attr slog.Attr) slog.Attr {
	attr.Value = attr.Value.Resolve()
	switch attr.Value.Kind() {
	case slog.KindGroup:
		group := make([]slog.Attr, len(attr.Value.Group()))
		for i, inner := range attr.Value.Group() {
			group[i] = plain(inner)
		}
		attr.Value = slog.GroupValue(group...)
	case slog.KindAny:
		attr.Value = inWords(attr.Value)
	}
	return attr
}

// inWords leaves errors alone: the bridge makes attributes of their own of them.
func inWords(value slog.Value) slog.Value {
	switch known := value.Any().(type) {
	case error, nil:
		return value
	case fmt.Stringer:
		if pointer := reflect.ValueOf(known); pointer.Kind() == reflect.Pointer && pointer.IsNil() {
			return value
		}
		return slog.StringValue(known.String())
	}
	if own := reflect.ValueOf(value.Any()); own.Kind() == reflect.String {
		return slog.StringValue(own.String())
	}
	return value
}
