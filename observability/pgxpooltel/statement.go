package pgxpooltel

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// maxText is the most of a statement that a span keeps, in bytes.
const maxText = 1024

// statement is what a span says about one SQL statement.
type statement struct {
	summary string // low cardinality: "SELECT orders", "BEGIN"
	text    string // literals replaced by ?, because they may be anybody's data

	attributes []attribute.KeyValue // all of its span's, made once
}

// maxDescribed bounds the memory of descriptions.
const maxDescribed = 256

// descriptions remembers what statements say: a program has few of them and sends each very often. Past the bound (one
// that writes its values into the text has any number) each is described anew.
type descriptions struct {
	common []attribute.KeyValue // of every statement

	mu    sync.RWMutex
	known map[string]statement
}

func (d *descriptions) of(sql string) statement {
	d.mu.RLock()
	known, ok := d.known[sql]
	d.mu.RUnlock()
	if ok {
		return known
	}
	made := describe(sql)
	made.attributes = slices.Concat(d.common, []attribute.KeyValue{
		semconv.DBQuerySummary(made.summary), semconv.DBQueryText(made.text),
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) < maxDescribed {
		if d.known == nil {
			d.known = map[string]statement{}
		}
		d.known[sql] = made
	}
	return made
}

// operations are the first words that name a span; anything else (a prepared statement's name) is "SQL".
var operations = map[string]bool{
	"SELECT": true, "INSERT": true, "UPDATE": true, "DELETE": true, "MERGE": true, "WITH": true, "VALUES": true,
	"BEGIN": true, "START": true, "COMMIT": true, "ROLLBACK": true, "SAVEPOINT": true, "RELEASE": true,
	"SET": true, "SHOW": true, "RESET": true, "LOCK": true, "COPY": true, "CALL": true, "DO": true, "EXPLAIN": true,
	"CREATE": true, "ALTER": true, "DROP": true, "TRUNCATE": true, "VACUUM": true, "ANALYZE": true,
	"LISTEN": true, "NOTIFY": true, "PREPARE": true, "EXECUTE": true, "DEALLOCATE": true,
}

// describe reads a statement just well enough to name it and to hide its literals; it is no parser. The table is the
// first name after FROM, INTO, UPDATE or TABLE.
func describe(sql string) statement {
	var (
		s      = scanner{sql: sql}
		text   strings.Builder
		first  string
		table  string
		wanted bool // the next name is a table
	)
	for kind, token := s.next(); kind != end; kind, token = s.next() {
		switch kind {
		case comment:
			token = " " // not nothing: it may be all that separates two words
		case literal:
			token = "?"
		case word:
			upper := strings.ToUpper(token)
			switch {
			case first == "":
				first = upper
				wanted = upper == "UPDATE" || upper == "TRUNCATE" || upper == "COPY"
			case wanted && upper != "ONLY" && upper != "TABLE":
				table, wanted = token, false
			case table == "" && (upper == "FROM" || upper == "INTO" || upper == "TABLE" || upper == "UPDATE"):
				wanted = true
			}
		case symbol:
			wanted = wanted && token != "(" // FROM ( is a subquery
		}
		if text.Len() < maxText {
			text.WriteString(token)
		}
	}
	return statement{summary: summarise(first, table), text: cut(strings.TrimSpace(text.String()), maxText)}
}

func summarise(operation, table string) string {
	if !operations[operation] {
		return "SQL"
	}
	if table == "" {
		return operation
	}
	return operation + " " + table
}

// cut shortens text to at most limit bytes without splitting a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

func isWord(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) }
