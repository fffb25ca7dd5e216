package query

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// defaultLimit is how many records a question for logs brings unless it says otherwise.
const defaultLimit = 1000

// Loki asks one Loki.
type Loki struct{ endpoint *endpoint }

// NewLoki checks the configuration; it contacts nobody.
func NewLoki(cfg Config) (*Loki, error) {
	endpoint, err := newEndpoint("loki", cfg)
	if err != nil {
		return nil, err
	}
	return &Loki{endpoint}, nil
}

// streams is Loki's answer to a log query (HTTP API, "Query logs within a range of time").
type streams struct {
	Data struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Stream Labels      `json:"stream"`
			Values [][2]string `json:"values"` // nanoseconds since 1970, line
		} `json:"result"`
	} `json:"data"`
}

// QueryRange runs a LogQL log query between two times and returns the records oldest first: at most limit of them
// (0 means 1,000), the newest where there are more. The list is empty when nothing matched.
func (l *Loki) QueryRange(ctx context.Context, logql string, from, to time.Time, limit int) ([]Log, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	var answer streams
	err := l.endpoint.get(ctx, logql, "loki/api/v1/query_range", url.Values{
		"query":     {logql},
		"start":     {strconv.FormatInt(from.UnixNano(), 10)},
		"end":       {strconv.FormatInt(to.UnixNano(), 10)},
		"limit":     {strconv.Itoa(limit)},
		"direction": {"backward"},
	}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Data.ResultType != "streams" {
		return nil, l.endpoint.failed(logql, fmt.Errorf(
			"the answer's type is %q: ask a log query, for numbers ask Prometheus", answer.Data.ResultType))
	}
	var logs []Log
	for _, stream := range answer.Data.Result {
		for _, value := range stream.Values {
			nanos, err := strconv.ParseInt(value[0], 10, 64)
			if err != nil {
				return nil, l.endpoint.failed(logql, fmt.Errorf("time of a record: %w", err))
			}
			logs = append(logs, Log{At: time.Unix(0, nanos), Line: value[1], Labels: stream.Stream})
		}
	}
	slices.SortStableFunc(logs, func(a, b Log) int { return a.At.Compare(b.At) })
	return logs, nil
}

// TraceLogs is the LogQL for all records of one trace, whichever service wrote them.
func TraceLogs(traceID string) string {
	return fmt.Sprintf("{service_name=~\".+\"} | trace_id=%q", traceID)
}
