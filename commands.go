package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/db/embedded"
	"crmgraph/db/seed"
	"crmgraph/internal/auth"
	"crmgraph/internal/config"
	"crmgraph/internal/keyfile"
)

func defaultStateDir() (string, error) { return embedded.StateDir("crmgraph") }

// withDatabase acts on a database of the newest schema, the configured one or else the
// embedded server's, and tells act its address and the migrations just applied.
func withDatabase(ctx context.Context, cli *config.CLI, log io.Writer, act func(url string, applied []string) error) (err error) {
	url := cli.DatabaseURL
	if url == "" {
		var server *embedded.Server
		server, err = embedded.Open(ctx, embedded.Options{
			App: "crmgraph", StateDir: cli.StateDir, BinDir: cli.PostgresBin, Offline: cli.Offline, Log: log,
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		if err := server.EnsureDatabase(ctx, "crmgraph"); err != nil {
			return err
		}
		url = server.URL("crmgraph")
	}
	applied, err := db.Migrate(ctx, url)
	if err != nil {
		return err
	}
	return act(url, applied)
}

// migrated is what the migrate command says.
func migrated(applied []string, out io.Writer) error {
	said := "the schema is up to date"
	if len(applied) > 0 {
		said = "applied " + strings.Join(applied, ", ")
	}
	_, err := fmt.Fprintln(out, said)
	return err
}

// fill is the seed command.
func fill(ctx context.Context, cli *config.CLI, url string, out, log io.Writer) error {
	if cli.Seed.Customers == 0 {
		seeded, err := seed.Demo(ctx, url, time.Now())
		if err != nil {
			return err
		}
		if !seeded {
			fmt.Fprintln(out, "nothing seeded: the database has tenants already")
			return nil
		}
		fmt.Fprintln(out, "seeded the tenants demo and acme")
		return nil
	}
	bar := progress(cli.Seed.Customers, "customers", log)
	err := seed.Load(ctx, url, cli.Seed.Tenant, cli.Seed.Customers, func(done int) { _ = bar.Set(done) })
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "seeded tenant %s with %d customers\n", cli.Seed.Tenant, cli.Seed.Customers)
	return nil
}

// progress is a bar on the log.
func progress(total int, of string, log io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(log),
		progressbar.OptionSetDescription(of), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionOnCompletion(func() { fmt.Fprintln(log) }))
}

// verifyLedgers prints a line for each number of the tenant's ledgers that is wrong, and then how
// much was verified. It is an error when there are such numbers.
func verifyLedgers(ctx context.Context, url, tenant string, out, log io.Writer) error {
	const connections = 1
	pool, err := db.Open(ctx, url, connections)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := &crm.Store{DB: pool, Now: time.Now}
	id, err := store.TenantByCode(ctx, tenant)
	if err != nil {
		return fmt.Errorf("tenant %q: %w", tenant, err)
	}
	var bar *progressbar.ProgressBar
	tell := func(done, total int) {
		if bar == nil && total > 0 {
			bar = progress(total, "entries", log)
		}
		if bar != nil {
			_ = bar.Set(done)
		}
	}
	ledgers, err := store.VerifyLedgers(ctx, id, tell, func(d crm.LedgerDrift) { fmt.Fprintln(out, d) })
	if err != nil {
		return errors.Join(err, errors.Unwrap(err)) // the cause is for whoever runs the command
	}
	drifts := 0
	for _, l := range ledgers {
		fmt.Fprintf(out, "%s: %d balances, %d entries, %d wrong\n", l.Ledger, l.Balances, l.Entries, l.Drifts)
		drifts += l.Drifts
	}
	if drifts > 0 {
		return fmt.Errorf("the ledgers of tenant %s do not add up: %d numbers are wrong", tenant, drifts)
	}
	return nil
}

// token prints a development token and nothing else.
func token(cli *config.CLI, out io.Writer) error {
	keys, err := auth.OpenKeys(cli.StateDir)
	if err != nil {
		return err
	}
	text, err := keys.Mint(claims(cli.Token.Tenant, cli.Token.Role, cli.Token.TTL))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, text)
	return err
}

// claims are those of a development token, whose subject is named after its role.
func claims(tenant, role string, ttl time.Duration) auth.Claims {
	return auth.Claims{Subject: role + "@development", Tenant: tenant, Roles: []string{role}, TTL: ttl}
}

// developmentKeys are nil outside development mode: nothing signed with them is accepted.
func (s *server) developmentKeys() (*auth.Keys, error) {
	if !s.development {
		return nil, nil //nolint:nilnil // no keys is what production has
	}
	return auth.OpenKeys(s.cli.StateDir)
}

// handOut gives the playground tokens of any tenant and role. Only development mode has it.
func handOut(keys *auth.Keys) http.Handler {
	const ttl = time.Hour
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask struct{ Tenant, Role string }
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&ask); err != nil {
			answer(w, http.StatusBadRequest, `send {"tenant": "demo", "role": "admin"}`)
			return
		}
		text, err := keys.Mint(claims(ask.Tenant, ask.Role, ttl))
		if err != nil {
			answer(w, http.StatusBadRequest, err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(map[string]any{"token": text, "expiresAt": time.Now().Add(ttl).UTC().Format(time.RFC3339)})
	})
}

// cursorKey is the configured secret, else one made once and kept in the state directory.
func cursorKey(cli *config.CLI) ([]byte, error) {
	if cli.Serve.CursorKey != "" {
		return []byte(cli.Serve.CursorKey), nil
	}
	key, err := keyfile.Open(filepath.Join(cli.StateDir, "cursor.key"), func() ([]byte, error) { return []byte(rand.Text()), nil })
	if err != nil {
		return nil, fmt.Errorf("cursor key: %w", err)
	}
	return key, nil
}
