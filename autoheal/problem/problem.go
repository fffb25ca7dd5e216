// Package problem writes the error answer that all of Faultline's programs share (docs/contracts.md, "Common to every
// program").
package problem

import (
	"encoding/json"
	"net/http"
)

// Code is the machine-readable half of an error answer.
type Code string

// The codes this program uses.
const (
	BadRequest   Code = "bad_request"
	Unauthorized Code = "unauthorized"
	Forbidden    Code = "forbidden"
	NotFound     Code = "not_found"
	Conflict     Code = "conflict"
	TooLarge     Code = "too_large"
	Internal     Code = "internal"
	Unavailable  Code = "unavailable"
)

// statuses is the one place that maps codes to HTTP.
var statuses = map[Code]int{
	BadRequest:   http.StatusBadRequest,
	Unauthorized: http.StatusUnauthorized,
	Forbidden:    http.StatusForbidden,
	NotFound:     http.StatusNotFound,
	Conflict:     http.StatusConflict,
	TooLarge:     http.StatusRequestEntityTooLarge,
	Internal:     http.StatusInternalServerError,
	Unavailable:  http.StatusServiceUnavailable,
}

// Answer is the JSON form of an error.
type Answer struct {
	Error struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// Write answers with the code's HTTP status. The message says what happened and what to do next; internals belong in
// the log.
func Write(w http.ResponseWriter, code Code, message string) {
	var answer Answer
	answer.Error.Code, answer.Error.Message = code, message
	JSON(w, statuses[code], answer)
}

// JSON answers with a value. A client that has gone away is nobody's error, so a failed write is not reported.
func JSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
