package wire

import (
	"math"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/protobuf/encoding/protowire"
)

// writer appends protobuf fields. As everywhere in proto3, a field that has its zero value is left out, unless its
// method's name says always.
type writer struct{ buf []byte }

func (w *writer) tag(field int, kind protowire.Type) {
	w.buf = protowire.AppendTag(w.buf, protowire.Number(field), kind)
}

// begin opens a message of unknown length, for which it leaves one byte; end closes it.
func (w *writer) begin(field int) int {
	w.tag(field, protowire.BytesType)
	w.buf = append(w.buf, 0)
	return len(w.buf)
}

func (w *writer) end(start int) {
	length := len(w.buf) - start
	if more := protowire.SizeVarint(uint64(length)) - 1; more > 0 { // one byte does not do: the message moves on
		w.buf = append(w.buf, make([]byte, more)...)
		copy(w.buf[start+more:], w.buf[start:start+length])
	}
	protowire.AppendVarint(w.buf[:start-1], uint64(length))
}

func (w *writer) bytes(field int, value []byte) {
	w.tag(field, protowire.BytesType)
	w.buf = protowire.AppendBytes(w.buf, value)
}

func (w *writer) text(field int, value string) {
	if value != "" {
		w.textAlways(field, value)
	}
}

func (w *writer) textAlways(field int, value string) {
	if !utf8.ValidString(value) {
		value = strings.ToValidUTF8(value, string(utf8.RuneError))
	}
	w.tag(field, protowire.BytesType)
	w.buf = protowire.AppendString(w.buf, value)
}

func (w *writer) number(field int, value uint64) {
	if value != 0 {
		w.numberAlways(field, value)
	}
}

func (w *writer) numberAlways(field int, value uint64) {
	w.tag(field, protowire.VarintType)
	w.buf = protowire.AppendVarint(w.buf, value)
}

func (w *writer) fixed32(field int, value uint32) {
	w.tag(field, protowire.Fixed32Type)
	w.buf = protowire.AppendFixed32(w.buf, value)
}

func (w *writer) fixed64(field int, value uint64) {
	w.tag(field, protowire.Fixed64Type)
	w.buf = protowire.AppendFixed64(w.buf, value)
}

// value writes an AnyValue (opentelemetry/proto/common/v1/common.proto), of which exactly one field is there.
func (w *writer) value(field int, value attribute.Value) {
	start := w.begin(field)
	switch value.Type() {
	case attribute.STRING:
		w.textAlways(1, value.AsString())
	case attribute.BOOL:
		w.numberAlways(2, protowire.EncodeBool(value.AsBool()))
	case attribute.INT64:
		w.numberAlways(3, uint64(value.AsInt64()))
	case attribute.FLOAT64:
		w.fixed64(4, math.Float64bits(value.AsFloat64()))
	case attribute.BYTESLICE:
		w.bytes(7, value.AsByteSlice())
	case attribute.MAP:
		list := w.begin(6)
		w.attributes(1, value.AsMap())
		w.end(list)
	case attribute.EMPTY:
	default:
		list := w.begin(5)
		for _, element := range elements(value) {
			w.value(1, element)
		}
		w.end(list)
	}
	w.end(start)
}

// elements are the members of a slice of any type.
func elements(value attribute.Value) []attribute.Value {
	switch value.Type() {
	case attribute.BOOLSLICE:
		return each(value.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		return each(value.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		return each(value.AsFloat64Slice(), attribute.Float64Value)
	case attribute.STRINGSLICE:
		return each(value.AsStringSlice(), attribute.StringValue)
	default:
		return value.AsSlice()
	}
}

func each[T any](members []T, value func(T) attribute.Value) []attribute.Value {
	values := make([]attribute.Value, len(members))
	for i, member := range members {
		values[i] = value(member)
	}
	return values
}
