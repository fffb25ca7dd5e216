package service

import (
	"context"
	"log/slog"
	"strings"
)

// serverLog gives what net/http says one message, so that such lines can be counted: its own words, which name addresses,
// become the error.
type serverLog struct{ slog.Handler }

func (h serverLog) Handle(ctx context.Context, said slog.Record) error {
	record := slog.NewRecord(said.Time, said.Level, "http server complained", said.PC)
	record.AddAttrs(slog.String("error", strings.TrimSpace(said.Message)))
	return h.Handler.Handle(ctx, record)
}
