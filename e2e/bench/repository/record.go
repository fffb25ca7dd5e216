package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/orders"
	"github.com/faultline-lab/faultline/e2e/bench/pgscript"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// prologue makes the values that differ between orders: nineteen random digits, so that keys and ids of pgbench scatter over
// their indexes as those of orders do.
const prologue = `\set order random(1000000000000000000, 9223372036854775806)
\set reservation random(1000000000000000000, 9223372036854775806)
`

// varying are those values, with what two recorded orders had for them.
func varying(first, second orders.Order, keys [2]string) []pgscript.Varying {
	return []pgscript.Varying{
		{Name: "key", First: keys[0], Second: keys[1], Expression: ":order"},
		{Name: "order id", First: first.ID, Second: second.ID, Expression: "rpad(:order, 32, '0')::uuid"},
		{Name: "reservation", First: first.ReservationID, Second: second.ReservationID, Expression: "rpad(:reservation, 32, '0')::uuid"},
		{Name: "authorization", First: first.AuthorizationID, Second: second.AuthorizationID, Expression: ":reservation"},
	}
}

// recording is the transaction as it went over the wire, and the script that came of it.
type recording struct {
	said       []pgscript.Said
	statements []pgscript.Statement
	varying    []pgscript.Varying
	script     pgscript.Script
}

// record places orders through the repository and listens. The first one is not kept: with it the statements are prepared.
func record(ctx context.Context, databaseURL string, off *telemetry.Telemetry) (recording, error) {
	tap, err := pgscript.NewTap(databaseURL)
	if err != nil {
		return recording{}, err
	}
	defer tap.Close()
	store, end, err := orders.OpenStore(ctx, orders.StoreConfig{DatabaseURL: tap.URL, PoolMax: 1, Telemetry: off})
	if err != nil {
		return recording{}, err
	}
	defer func() { _ = end(context.WithoutCancel(ctx)) }()
	var said [3][]pgscript.Said
	var placed [3]orders.Order
	var keys [3]string
	for i := range said {
		request := newRequest()
		if placed[i], err = store.Place(ctx, request, fulfil); err != nil {
			return recording{}, err
		}
		keys[i] = request.IdempotencyKey
		if said[i], err = tap.Take(); err != nil {
			return recording{}, err
		}
		said[i] = slices.DeleteFunc(said[i], isPing)
	}
	found := recording{said: said[1], varying: varying(placed[1], placed[2], [2]string(keys[1:]))}
	err = found.generate(ctx, databaseURL, said[2])
	return found, err
}

// isPing tells what the pool asks of a connection that has been idle for a second, which no connection under load is.
func isPing(said pgscript.Said) bool { return said.SQL == "-- ping" }

// generate decodes what was said and writes the script.
func (r *recording) generate(ctx context.Context, databaseURL string, again []pgscript.Said) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if r.statements, err = pgscript.Decode(ctx, conn, r.said); err != nil {
		return err
	}
	second, err := pgscript.Decode(ctx, conn, again)
	if err != nil {
		return err
	}
	r.script, err = pgscript.Generate(prologue, r.statements, second, r.varying)
	return err
}

// write puts the script where pgbench reads it.
func (r recording) write(program, folder string) (pgbench, error) {
	file := filepath.Join(folder, "place.pgbench")
	return pgbench{path: program, script: r.script, file: file}, os.WriteFile(file, []byte(r.script.Text), 0o644)
}

// check has pgbench run the script once past the tap: what arrives must be what orders sent, statement by statement.
func (r recording) check(ctx context.Context, databaseURL string, p pgbench) error {
	tap, err := pgscript.NewTap(databaseURL)
	if err != nil {
		return err
	}
	defer tap.Close()
	if _, err := p.run(ctx, tap.URL, 1, "--transactions=1"); err != nil {
		return err
	}
	said, err := tap.Take()
	if err != nil {
		return err
	}
	ours, theirs := pgscript.Shape(r.said, r.varying), pgscript.Shape(said, r.varying)
	if !slices.Equal(ours, theirs) {
		return fmt.Errorf("pgbench does not say what orders says:\norders:  %q\npgbench: %q", ours, theirs)
	}
	if len(ours) < 3 {
		return errors.New("an order of fewer than three statements was recorded: that is no transaction")
	}
	return nil
}
