package db

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs of what took too long.
const (
	lockNotAvailable = "55P03"
	queryCanceled    = "57014" // by its time limit, or by a client that hung up
)

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
	var network net.Error
	return NoConnection(err) || errors.As(err, &network) || pgconn.SafeToRetry(err)
}

// NoConnection reports whether err says that there was no connection to be had, so that nothing was asked.
func NoConnection(err error) bool {
	var refused *pgconn.ConnectError
	return errors.Is(err, errPoolExhausted) || errors.As(err, &refused)
}

// tookTooLong reports whether err says that somebody waited for as long as anybody may.
func tookTooLong(err error) bool {
	return errors.Is(err, errPoolExhausted) || errors.Is(err, context.DeadlineExceeded) || hasCode(err, lockNotAvailable, queryCanceled)
}

// gaveWay reports whether Postgres ended a transaction for the sake of another.
func gaveWay(err error) bool { return hasCode(err, "40001", "40P01") }
