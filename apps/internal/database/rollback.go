package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// rollbackTimeout bounds a rollback, which must not depend on the caller's deadline: that has often just passed, and pgx
// would close the connection instead.
const rollbackTimeout = 300 * time.Millisecond

// Rollback ends the transaction whatever has become of ctx. It returns nil when the transaction is over, also because
// its connection is.
func Rollback(ctx context.Context, tx pgx.Tx) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	err := tx.Rollback(ctx)
	// A query that ran into its deadline has closed the connection, which ends the transaction too.
	if err == nil || errors.Is(err, pgx.ErrTxClosed) || tx.Conn().IsClosed() {
		return nil
	}
	return fmt.Errorf("roll back: %w", err)
}
