package pgxpooltel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	end kind = iota
	space
	comment
	literal // a string or a number
	word    // a keyword or a name, quoted or not, with its schema
	symbol
)

// scanner cuts SQL into tokens (PostgreSQL 18, "Lexical Structure"). What it cannot make sense of, such as a string
// without an end, it takes up to the end of the text: hiding too much is the safe side.
type scanner struct {
	sql string
	at  int
}

func (s *scanner) next() (kind, string) {
	if s.at >= len(s.sql) {
		return end, ""
	}
	kind, length := classify(s.sql[s.at:])
	token := s.sql[s.at : s.at+length]
	s.at += length
	return kind, token
}

// classify says what rest begins with, and how many bytes of it that is.
func classify(rest string) (kind, int) {
	first, size := utf8.DecodeRuneInString(rest)
	switch {
	case unicode.IsSpace(first):
		return space, span(rest, unicode.IsSpace)
	case strings.HasPrefix(rest, "--"):
		return comment, until(rest, 2, "\n")
	case strings.HasPrefix(rest, "/*"):
		return comment, until(rest, 2, "*/")
	case first == '\'':
		return literal, quoted(rest, 0, false)
	case (first == 'E' || first == 'e') && strings.HasPrefix(rest[1:], "'"):
		return literal, quoted(rest, 1, true)
	case first == '$':
		return dollar(rest)
	case unicode.IsDigit(first):
		return literal, span(rest, func(r rune) bool { return r == '.' || isWord(r) })
	case first == '"' || isWord(first):
		return word, name(rest)
	}
	return symbol, size
}

// span is the length of the run of characters that are accepted.
func span(rest string, accept func(rune) bool) int {
	if stop := strings.IndexFunc(rest, func(r rune) bool { return !accept(r) }); stop >= 0 {
		return stop
	}
	return len(rest)
}

// until is the length up to and including the mark, looked for from an offset.
func until(rest string, from int, mark string) int {
	if stop := strings.Index(rest[from:], mark); stop >= 0 {
		return from + stop + len(mark)
	}
	return len(rest)
}

// quoted is the length of a string literal whose quote is at an offset; a doubled quote does not end it, nor, in an
// E string, an escaped one.
func quoted(rest string, open int, escapes bool) int {
	for i := open + 1; i < len(rest); i++ {
		switch {
		case escapes && rest[i] == '\\':
			i++
		case rest[i] == '\'' && strings.HasPrefix(rest[i+1:], "'"):
			i++
		case rest[i] == '\'':
			return i + 1
		}
	}
	return len(rest)
}

// dollar tells a parameter ($1) from a dollar-quoted string ($tag$...$tag$).
func dollar(rest string) (kind, int) {
	tag := 1 + span(rest[1:], func(r rune) bool { return r != '$' && isWord(r) })
	if tag < len(rest) && rest[tag] == '$' {
		return literal, until(rest, tag+1, rest[:tag+1])
	}
	return symbol, tag
}

// name is the length of an identifier with its schema: public."Order lines".
func name(rest string) int {
	length := 0
	for length < len(rest) {
		if rest[length] == '"' {
			length = until(rest, length+1, `"`)
		} else {
			length += span(rest[length:], isWord)
		}
		if length >= len(rest) || rest[length] != '.' {
			return length
		}
		length++
	}
	return length
}
