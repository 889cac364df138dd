//go:build !linux && !darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// Server is a running PostgreSQL server; there is none on this system.
type Server struct{}

// Open always fails on this system.
func Open(context.Context, Options) (*Server, error) {
	return nil, fmt.Errorf("embedded PostgreSQL on %s: %w: set DATABASE_URL to a PostgreSQL server instead",
		runtime.GOOS, errors.ErrUnsupported)
}

// URL returns "".
func (*Server) URL(string) string { return "" }

// EnsureDatabase always fails on this system.
func (*Server) EnsureDatabase(context.Context, string) error { return errors.ErrUnsupported }

// Close does nothing.
func (*Server) Close() error { return nil }

// StateDir always fails on this system.
func StateDir(string) (string, error) { return "", errors.ErrUnsupported }
