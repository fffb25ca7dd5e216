// Package query asks Prometheus, Loki and Jaeger: typed answers, a deadline on every question, and errors that carry
// the question.
//
// Nothing found is not zero. A question for a list may be answered by an empty one; a question for one thing (a value,
// a trace) that is not there is answered by ErrNoData.
package query
