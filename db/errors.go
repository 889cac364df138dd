package db

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// lockNotAvailable is the SQLSTATE of a lock that was not had in time.
const lockNotAvailable = "55P03"

var errPoolExhausted = errors.New("no database connection became free in time")

// IsUnavailable reports whether err says that the database could not answer now, so that
// the same request may succeed later: no connection, no free connection, shutting down,
// out of resources, a statement or lock that ran into its time limit, or a transaction that
// gave way to others again and again.
func IsUnavailable(err error) bool {
	if errors.Is(err, errPoolExhausted) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") ||
			strings.HasPrefix(pg.Code, "57") || pg.Code == lockNotAvailable || gaveWay(err)
	}
	var refused *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &refused) || errors.As(err, &network) || pgconn.SafeToRetry(err)
}

// gaveWay reports whether Postgres ended a transaction for the sake of another.
func gaveWay(err error) bool { return hasCode(err, "40001", "40P01") }
