// Package apierror is the one place that knows error codes and what they are in HTTP (docs/contracts.md, "Common to
// every program").
package apierror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// Code is the machine-readable reason of an error.
type Code string

// The codes of the contract.
const (
	BadRequest      Code = "bad_request"
	Unauthorized    Code = "unauthorized"
	NotFound        Code = "not_found"
	Conflict        Code = "conflict"
	TooLarge        Code = "too_large"
	Unprocessable   Code = "unprocessable"
	TooManyRequests Code = "too_many_requests"
	Internal        Code = "internal"
	Unavailable     Code = "unavailable"
	Timeout         Code = "timeout"
)

var statuses = map[Code]int{
	BadRequest:      http.StatusBadRequest,
	Unauthorized:    http.StatusUnauthorized,
	NotFound:        http.StatusNotFound,
	Conflict:        http.StatusConflict,
	TooLarge:        http.StatusRequestEntityTooLarge,
	Unprocessable:   http.StatusUnprocessableEntity,
	TooManyRequests: http.StatusTooManyRequests,
	Internal:        http.StatusInternalServerError,
	Unavailable:     http.StatusServiceUnavailable,
	Timeout:         http.StatusGatewayTimeout,
}

// Status is the HTTP status of the code; 500 for a code that is not of the contract.
func (c Code) Status() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// codeOf is the code of an HTTP status; 4xx that the contract does not have count as bad_request.
func codeOf(status int) Code {
	for code, s := range statuses {
		if s == status {
			return code
		}
	}
	if status >= 400 && status < 500 {
		return BadRequest
	}
	return Internal
}

// Error is an error that a caller may see: Message says what happened and what to do next. The cause is for the log
// only.
type Error struct {
	Code    Code
	Message string
	cause   error
}

// New makes an error without a cause.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because returns a copy of the error with its cause, which Unwrap gives and no caller is shown.
func (e *Error) Because(cause error) *Error {
	return &Error{Code: e.Code, Message: e.Message, cause: cause}
}

func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s (%v)", e.Code, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Level is how loud a failure is in the log: what nobody foresaw is an error, what went wrong around here a warning.
// Refusals, whose status is below 500, are no failures.
func Level(err *Error) slog.Level {
	if err.Code == Internal {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// From gives the error that a caller is shown for err. What nobody has classified is internal, and its text stays
// here; a context that ended is a timeout, whether its deadline passed or the caller went away.
func From(err error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return New(Timeout, "this took longer than its deadline; try again with the same Idempotency-Key").Because(err)
	default:
		return New(Internal, "something unexpected happened; the log has it under this request's trace id").Because(err)
	}
}

// Is says whether err has the code.
func Is(err error, code Code) bool {
	var known *Error
	return errors.As(err, &known) && known.Code == code
}
