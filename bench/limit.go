package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// limitServe is the command that serves the limit until ctx ends.
type limitServe struct {
	DatabaseURL string    `env:"DATABASE_URL" required:""`
	Tenant      uuid.UUID `required:""`
	Connections int32     `required:""`
}

// Run serves on a free port, which it prints.
func (l *limitServe) Run(ctx context.Context) error {
	pool, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: limit(pool, l.Tenant), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintf(os.Stdout, "http://%s\n", listener.Addr())
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

func (l *limitServe) open(ctx context.Context) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(l.DatabaseURL)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = l.Connections
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		// The search function answers only for the connection's tenant.
		_, err := conn.Exec(ctx, "SELECT set_config('app.tenant', $1, false)", l.Tenant.String())
		return err
	}
	return pgxpool.NewWithConfig(ctx, cfg)
}

// limit answers POST /<workload> of the workload's variables with what the server answers
// to its document.
func limit(pool *pgxpool.Pool, tenant uuid.UUID) http.Handler {
	mux := http.NewServeMux()
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	for _, w := range workloads() {
		head := `{"data":{"` + w.field + `":`
		mux.HandleFunc("POST /"+w.name, func(rw http.ResponseWriter, r *http.Request) {
			var v variables
			if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
				http.Error(rw, err.Error(), http.StatusBadRequest)
				return
			}
			buf := buffers.Get().(*bytes.Buffer)
			defer buffers.Put(buf)
			buf.Reset()
			buf.WriteString(head)
			if err := answer(r.Context(), pool, buf, w.sql, tenant, v.argument()); err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
				return
			}
			buf.WriteString("}}")
			rw.Header().Set("Content-Type", "application/json")
			rw.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
			_, _ = rw.Write(buf.Bytes())
		})
	}
	return mux
}

// answer writes the only value of the statement.
func answer(ctx context.Context, pool *pgxpool.Pool, buf *bytes.Buffer, sql string, args ...any) error {
	rows, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		buf.Write(rows.RawValues()[0])
	}
	return rows.Err()
}
