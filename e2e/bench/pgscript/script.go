package pgscript

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Varying says what stands in the script for a value that differs from one transaction to the next.
type Varying struct {
	Name string
	// First and Second are the value in the two recordings.
	First, Second string
	// Expression is SQL over the script's own variables.
	Expression string
}

// Script is what pgbench is given.
type Script struct {
	// Text is the file.
	Text string
	// Constants are variables for `-D name=value`, so that what is a parameter stays a parameter.
	Constants map[string]string
}

var placeholder = regexp.MustCompile(`\$([0-9]+)`)

// Generate writes the script of a transaction that was recorded twice. A parameter that was the same in both is a constant
// of the script; one that differed must be among varying. prologue are pgbench's own lines that set the variables.
func Generate(prologue string, first, second []Statement, varying []Varying) (Script, error) {
	if len(first) == 0 || len(first) != len(second) {
		return Script{}, fmt.Errorf("the two recordings have %d and %d statements; want the same ones twice", len(first), len(second))
	}
	script := Script{Text: prologue, Constants: map[string]string{}}
	for i, statement := range first {
		if statement.SQL != second[i].SQL || len(statement.Params) != len(second[i].Params) {
			return Script{}, fmt.Errorf("statement %d is %q the first time and %q the second", i+1, statement.SQL, second[i].SQL)
		}
		written, err := script.write(statement, second[i], varying)
		if err != nil {
			return Script{}, fmt.Errorf("statement %q: %w", statement.SQL, err)
		}
		script.Text += written + ";\n"
	}
	return script, nil
}

func (s *Script) write(first, second Statement, varying []Varying) (string, error) {
	var failed error
	written := placeholder.ReplaceAllStringFunc(first.SQL, func(found string) string {
		n, _ := strconv.Atoi(found[1:]) // the pattern takes digits only
		if n < 1 || n > len(first.Params) {
			failed = fmt.Errorf("%s has no value", found)
			return found
		}
		expression, err := s.expression(first.Params[n-1], second.Params[n-1], varying)
		if err != nil {
			failed = fmt.Errorf("%s: %w", found, err)
		}
		return expression
	})
	return written, failed
}

func (s *Script) expression(first, second *string, varying []Varying) (string, error) {
	if first == nil || second == nil {
		if first != second {
			return "", fmt.Errorf("it is NULL in one recording only")
		}
		return "NULL", nil
	}
	if *first == *second {
		return s.constant(*first), nil
	}
	for _, one := range varying {
		if one.First == *first && one.Second == *second {
			return one.Expression, nil
		}
	}
	return "", fmt.Errorf("it was %q and then %q, which is nothing that the script knows how to make up", *first, *second)
}

// constant is a variable of pgbench. An empty one cannot be given on its command line and stands in the statement.
func (s *Script) constant(value string) string {
	if value == "" {
		return "''"
	}
	for name, known := range s.Constants {
		if known == value {
			return ":" + name
		}
	}
	name := fmt.Sprintf("constant_%d", len(s.Constants)+1)
	s.Constants[name] = value
	return ":" + name
}

// Shape is a list of statements without what may differ between a program and pgbench running its script: parameters
// and the expressions over them. Two lists of the same shape ask the server for the same work.
func Shape(said []Said, varying []Varying) []string {
	shapes := make([]string, 0, len(said))
	for _, one := range said {
		text := placeholder.ReplaceAllString(one.SQL, "?")
		for _, expression := range varying {
			text = strings.ReplaceAll(text, variable.ReplaceAllString(expression.Expression, "$1?"), "?")
		}
		text = strings.ReplaceAll(text, "''", "?")
		text = strings.ReplaceAll(text, "NULL", "?")
		text = strings.Join(strings.Fields(strings.TrimSuffix(strings.TrimSpace(text), ";")), " ")
		shapes = append(shapes, text)
	}
	return shapes
}

// variable is one of pgbench's, but not a cast.
var variable = regexp.MustCompile(`(^|[^:]):[a-z_0-9]+`)
