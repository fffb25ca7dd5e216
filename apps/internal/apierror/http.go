package apierror

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

type body struct {
	Error struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// maxBody bounds what Read takes of an error's body, in bytes.
const maxBody = 16 << 10

// Write answers with the error that a caller is shown for err.
func Write(w http.ResponseWriter, err error) {
	known := From(err)
	var answer body
	answer.Error.Code, answer.Error.Message = known.Code, known.Message
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(known.Code.Status())
	// A caller that has gone away cannot be told.
	_ = json.NewEncoder(w).Encode(answer)
}

// Read makes an error of an answer that is not a success. A body in another form than the contract's (a proxy's, say)
// is kept, shortened, as the cause.
func Read(response *http.Response) *Error {
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return New(codeOf(response.StatusCode), "answered %s and broke off", response.Status).Because(err)
	}
	var answer body
	if json.Unmarshal(data, &answer) != nil || answer.Error.Message == "" {
		text := strings.TrimSpace(string(data))
		return New(codeOf(response.StatusCode), "answered %s", response.Status).Because(fmt.Errorf("body: %.200q", text))
	}
	return New(codeOf(response.StatusCode), "%s", answer.Error.Message)
}
