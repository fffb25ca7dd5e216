package pgscript

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Statement is one that was executed, with its parameters as text; a nil parameter is NULL.
type Statement struct {
	SQL    string
	Params []*string
}

// Decode asks the server of which types the parameters are, and turns them into text.
func Decode(ctx context.Context, conn *pgx.Conn, said []Said) ([]Statement, error) {
	statements := make([]Statement, 0, len(said))
	for _, one := range said {
		statement := Statement{SQL: one.SQL}
		if len(one.Values) > 0 {
			description, err := conn.Prepare(ctx, one.SQL, one.SQL)
			if err != nil {
				return nil, fmt.Errorf("describe %q: %w", one.SQL, err)
			}
			for i, value := range one.Values {
				text, err := asText(conn.TypeMap(), description.ParamOIDs[i], one.format(i), value)
				if err != nil {
					return nil, fmt.Errorf("parameter $%d of %q: %w", i+1, one.SQL, err)
				}
				statement.Params = append(statement.Params, text)
			}
		}
		statements = append(statements, statement)
	}
	return statements, nil
}

// format follows the protocol's rule: no code is text for all, one code is for all, else there is one for each.
func (s Said) format(i int) int16 {
	switch len(s.Formats) {
	case 0:
		return pgtype.TextFormatCode
	case 1:
		return s.Formats[0]
	default:
		return s.Formats[i]
	}
}

func asText(types *pgtype.Map, oid uint32, format int16, value []byte) (*string, error) {
	if value == nil {
		return nil, nil
	}
	text := string(value)
	if format == pgtype.TextFormatCode {
		return &text, nil
	}
	kind, known := types.TypeForOID(oid)
	if !known {
		return nil, fmt.Errorf("a type (oid %d) that pgx does not know", oid)
	}
	decoded, err := kind.Codec.DecodeDatabaseSQLValue(types, oid, format, value)
	if err != nil {
		return nil, err
	}
	raw, isBytes := decoded.([]byte)
	switch {
	case isBytes && oid == pgtype.ByteaOID:
		text = `\x` + hex.EncodeToString(raw)
	case isBytes:
		text = string(raw)
	default:
		text = fmt.Sprint(decoded)
	}
	return &text, nil
}
