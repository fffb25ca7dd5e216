package pgxpooltel_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

func hasAttribute(attributes []attribute.KeyValue, key, value string) bool {
	return slices.ContainsFunc(attributes, func(a attribute.KeyValue) bool {
		return string(a.Key) == key && a.Value.String() == value
	})
}

func TestATransactionIsASpanForEachStatement(t *testing.T) {
	pool := newPool(t, newDatabase(t), 1, nil)
	if _, err := pool.Exec(t.Context(), "create table orders (id bigint, note text)"); err != nil {
		t.Fatal(err)
	}
	pool.spans.Reset()
	ctx, request := pool.tracer.Tracer("test").Start(t.Context(), "request")
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "insert into orders (id, note) values ($1, 'for Ann')", 17); err != nil {
			return err
		}
		var id int64
		return tx.QueryRow(ctx, "select id from orders where id = $1", 17).Scan(&id)
	})
	request.End()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, span := range pool.spans.Ended() {
		names = append(names, span.Name())
		if span.Name() != "request" && span.Parent().SpanID() != request.SpanContext().SpanID() {
			t.Errorf("%s does not hang below the request", span.Name())
		}
	}
	want := []string{"pool.acquire", "BEGIN", "INSERT orders", "SELECT orders", "COMMIT", "request"}
	if !slices.Equal(names, want) {
		t.Errorf("spans %v, want %v", names, want)
	}
	insert := pool.ended("INSERT orders")[0]
	for key, value := range map[string]string{
		"db.system.name":   "postgresql",
		"db.query.summary": "INSERT orders",
		"db.query.text":    "insert into orders (id, note) values ($1, ?)",
	} {
		if !hasAttribute(insert.Attributes(), key, value) {
			t.Errorf("INSERT lacks %s = %s: %v", key, value, insert.Attributes())
		}
	}
	if insert.SpanKind() != trace.SpanKindClient {
		t.Errorf("INSERT is of kind %s", insert.SpanKind())
	}
}

func TestAFailedStatementsSpanSaysWhy(t *testing.T) {
	pool := newPool(t, newDatabase(t), 1, nil)
	if _, err := pool.Exec(t.Context(), "select * from nowhere"); err == nil {
		t.Fatal("a table that does not exist was read")
	}
	span := pool.ended("SELECT nowhere")[0]
	if span.Status().Code != codes.Error || !hasAttribute(span.Attributes(), "db.response.status_code", "42P01") {
		t.Errorf("status %v, attributes %v", span.Status(), span.Attributes())
	}
}

func TestABatchAndACopyAreOneSpanEach(t *testing.T) {
	pool := newPool(t, newDatabase(t), 1, nil)
	if _, err := pool.Exec(t.Context(), "create table lines (id bigint)"); err != nil {
		t.Fatal(err)
	}
	batch := &pgx.Batch{}
	batch.Queue("insert into lines values ($1)", 1)
	batch.Queue("select id from lines")
	if err := pool.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
	rows := pgx.CopyFromRows([][]any{{int64(2)}, {int64(3)}})
	if _, err := pool.CopyFrom(t.Context(), pgx.Identifier{"lines"}, []string{"id"}, rows); err != nil {
		t.Fatal(err)
	}
	sent := pool.ended("BATCH")
	if len(sent) != 1 || len(sent[0].Events()) != 2 || sent[0].Events()[0].Name != "INSERT lines" {
		t.Errorf("batch: %v", sent)
	}
	if copied := pool.ended("COPY lines"); len(copied) != 1 {
		t.Errorf("copy: %v", copied)
	}
}

func TestTheExemplarsOfWaitingAndUsingLeadToTheRequest(t *testing.T) {
	pool := newPool(t, newDatabase(t), 1, nil)
	ctx, request := pool.tracer.Tracer("test").Start(t.Context(), "request")
	if _, err := pool.Exec(ctx, "select 1"); err != nil {
		t.Fatal(err)
	}
	request.End()
	wait := pool.ended("pool.acquire")[0].SpanContext()
	link := fmt.Sprintf("%s/%s", wait.TraceID(), wait.SpanID())
	points := pool.read(t)
	for _, metric := range []string{"wait_time", "use_time"} {
		if !slices.Contains(points[metric].exemplars, link) {
			t.Errorf("%s: exemplars %v do not lead to pool.acquire %s", metric, points[metric].exemplars, link)
		}
	}
	if wait.TraceID() != request.SpanContext().TraceID() {
		t.Error("pool.acquire is not in the request's trace")
	}
}
