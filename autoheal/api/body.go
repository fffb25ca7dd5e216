package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// bodyBytes bounds what a person may say.
	bodyBytes    = 16 << 10
	nameRunes    = 100
	commentRunes = 2000
)

// decode reads a body strictly: a misspelt asked_at must not mean "the present question".
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the body is not what is expected here: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body goes on after its JSON")
	}
	return nil
}

// named says what is wrong with a name; it is written into the audit, in one line.
func named(by string) error {
	switch {
	case strings.TrimSpace(by) == "":
		return errors.New("by is missing: say who you are")
	case utf8.RuneCountInString(by) > nameRunes || strings.ContainsFunc(by, unicode.IsControl):
		return fmt.Errorf("by is not a name: at most %d characters in one line", nameRunes)
	}
	return nil
}

func short(field, text string) error {
	if utf8.RuneCountInString(text) > commentRunes {
		return fmt.Errorf("%s is too long: at most %d characters", field, commentRunes)
	}
	return nil
}

// first is the first line of joined errors: the others follow from it.
func first(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
