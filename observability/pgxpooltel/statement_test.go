package pgxpooltel

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStatementsAreNamedAndTheirLiteralsHidden(t *testing.T) {
	for name, c := range map[string]struct{ sql, summary, text string }{
		"a transaction's bounds":             {"begin isolation level serializable", "BEGIN", "begin isolation level serializable"},
		"commit":                             {"commit", "COMMIT", "commit"},
		"parameters stay":                    {"select a from orders where id = $1", "SELECT orders", "select a from orders where id = $1"},
		"strings go":                         {"select 'it''s ''Ann''' from orders", "SELECT orders", "select ? from orders"},
		"numbers go, names with digits stay": {"select t1.a2 from orders_2 t1 where b = 4.5e3", "SELECT orders_2", "select t1.a2 from orders_2 t1 where b = ?"},
		"escape strings go":                  {`insert into notes values (E'it\'s', 'x')`, "INSERT notes", "insert into notes values (?, ?)"},
		"dollar-quoted strings go":           {"do $body$ begin perform 'x'; end $body$", "DO", "do ?"},
		"comments go":                        {"/* for Ann */ update orders -- 4111\nset a = 1", "UPDATE orders", "update orders  set a = ?"},
		"quoted and qualified names":         {`delete from shop."Order lines" where id = 7`, `DELETE shop."Order lines"`, `delete from shop."Order lines" where id = ?`},
		"a subquery is no table":             {"select * from (select 1 from stock) s", "SELECT stock", "select * from (select ? from stock) s"},
		"only is no table":                   {"select * from only orders", "SELECT orders", "select * from only orders"},
		"for update is no table":             {"select 1 from stock for update", "SELECT stock", "select ? from stock for update"},
		"with":                               {"with gone as (delete from outbox returning id) select id from gone", "WITH outbox", "with gone as (delete from outbox returning id) select id from gone"},
		"lock and create name their table":   {"lock table orders", "LOCK orders", "lock table orders"},
		"a prepared statement's name":        {"lrupsc_1_0", "SQL", "lrupsc_1_0"},
		"nothing":                            {"", "SQL", ""},
		"a string without an end":            {"select 'secret", "SELECT", "select ?"},
		"a dollar quote without an end":      {"select $$secret", "SELECT", "select ?"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := describe(c.sql); got.summary != c.summary || got.text != c.text {
				t.Errorf("got %q, %q\nwant %q, %q", got.summary, got.text, c.summary, c.text)
			}
		})
	}
}

func FuzzDescribe(f *testing.F) {
	for _, seed := range []string{"select 'a' from b", `E'\`, "$a$", `"`, "/*", "a..b", "é'é'", "1.2.3", "$", "''''"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		got := describe(sql)
		if len(got.text) > maxText {
			t.Errorf("the text has %d bytes", len(got.text))
		}
		if utf8.ValidString(sql) && !utf8.ValidString(got.text) {
			t.Errorf("valid text %q became invalid: %q", sql, got.text)
		}
		// A string literal with its quotes closed never survives.
		if hidden := describe("select 'S3CRET', " + sql); strings.Contains(hidden.text, "S3CRET") && !strings.Contains(sql, "S3CRET") {
			t.Errorf("a literal shows in %q", hidden.text)
		}
	})
}
