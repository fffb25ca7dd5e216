package repository

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/e2e/bench/pgscript"
)

// replay has clients say what was recorded through the driver alone, each on a connection of its own: no pool, no repository,
// nothing to encode.
func replay(ctx context.Context, databaseURL string, clients int, duration time.Duration, r recording) (count, error) {
	conns := make([]*pgx.Conn, clients)
	for i := range conns {
		conn, err := pgx.Connect(ctx, databaseURL)
		if err != nil {
			return count{}, err
		}
		defer conn.Close(context.WithoutCancel(ctx)) //nolint:gocritic // few, and all of them until the end
		conns[i] = conn
	}
	return repeat(clients, duration, func(client int) error { return r.say(ctx, conns[client]) })
}

// say executes the statements once, with new values where they vary.
func (r recording) say(ctx context.Context, conn *pgx.Conn) error {
	fresh := make(map[string]string, len(r.varying))
	for _, one := range r.varying {
		if _, err := uuid.Parse(one.First); err == nil {
			fresh[one.First] = uuid.NewString()
		} else {
			fresh[one.First] = newRequest().IdempotencyKey
		}
	}
	for _, statement := range r.statements {
		if _, err := conn.Exec(ctx, statement.SQL, arguments(statement, fresh)...); err != nil {
			return err
		}
	}
	return nil
}

func arguments(statement pgscript.Statement, fresh map[string]string) []any {
	arguments := make([]any, len(statement.Params))
	for i, param := range statement.Params {
		if param == nil {
			continue
		}
		arguments[i] = *param
		if value, varies := fresh[*param]; varies {
			arguments[i] = value
		}
	}
	return arguments
}
