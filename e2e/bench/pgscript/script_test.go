package pgscript_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/e2e/bench/pgscript"
)

func params(values ...string) []*string {
	list := make([]*string, len(values))
	for i := range values {
		list[i] = &values[i]
	}
	return list
}

var idOfOrder = []pgscript.Varying{{Name: "id", First: "7f", Second: "80", Expression: "rpad(:n, 32, '0')::uuid"}}

func insert(values ...string) []pgscript.Statement {
	return []pgscript.Statement{
		{SQL: "begin"},
		{SQL: "INSERT INTO orders (id, customer, coupon)\n\tVALUES ($1, $2, $3)", Params: params(values...)},
	}
}

func TestWhatVariesIsMadeUpAndWhatDoesNotStaysAParameter(t *testing.T) {
	script, err := pgscript.Generate("\\set n random(1, 9)\n", insert("7f", "c-17", ""), insert("80", "c-17", ""), idOfOrder)
	if err != nil {
		t.Fatal(err)
	}
	const want = "\\set n random(1, 9)\nbegin;\nINSERT INTO orders (id, customer, coupon)\n\tVALUES (rpad(:n, 32, '0')::uuid, :constant_1, '');\n"
	if script.Text != want {
		t.Errorf("got\n%s\nwant\n%s", script.Text, want)
	}
	if len(script.Constants) != 1 || script.Constants["constant_1"] != "c-17" {
		t.Errorf("constants %v", script.Constants)
	}
}

func TestTheScriptIsNotWrittenWhenTheTransactionIsNotUnderstood(t *testing.T) {
	null := insert("7f", "c-17", "")
	null[1].Params[1] = nil
	for name, tc := range map[string]struct {
		first, second []pgscript.Statement
		want          string
	}{
		"a value varies that nobody told it of": {insert("7f", "c-17", ""), insert("80", "c-18", ""), `"c-17" and then "c-18"`},
		"a statement is there only once":        {insert("7f", "c-17", ""), insert("80", "c-17", "")[:1], "2 and 1 statements"},
		"the statements differ":                 {insert("7f")[:1], []pgscript.Statement{{SQL: "commit"}}, "statement 1"},
		"a parameter has no value":              {insert("7f"), insert("80"), "$3 has no value"},
		"a value is NULL only once":             {null, insert("80", "c-17", ""), "NULL in one recording only"},
		"nothing was recorded":                  {nil, nil, "0 and 0 statements"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pgscript.Generate("", tc.first, tc.second, idOfOrder)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %s", err, tc.want)
			}
		})
	}
}

func TestTheShapeOfAScriptIsThatOfItsProgramAndOfNoOther(t *testing.T) {
	ours := []pgscript.Said{{SQL: "begin"}, {SQL: "UPDATE orders\n\tSET status = $2 WHERE id = $1 AND at < now()::date"}}
	theirs := []pgscript.Said{
		{SQL: "begin"}, {SQL: "UPDATE orders\n\tSET status = $1 WHERE id = rpad($2, 32, '0')::uuid AND at < now()::date;"},
	}
	if a, b := pgscript.Shape(ours, idOfOrder), pgscript.Shape(theirs, idOfOrder); !slices.Equal(a, b) {
		t.Errorf("the shapes are\n%q\n%q", a, b)
	}
	theirs[1].SQL = strings.Replace(theirs[1].SQL, " AND at < now()::date", "", 1)
	if a, b := pgscript.Shape(ours, idOfOrder), pgscript.Shape(theirs, idOfOrder); slices.Equal(a, b) {
		t.Errorf("a condition is missing, and the shape is the same: %q", a)
	}
}
