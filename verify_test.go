package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/crmtest"
)

// asProgram makes the test binary be the program.
const asProgram = "CRMGRAPH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestVerifyLedgers(t *testing.T) {
	t.Parallel()
	url := crmtest.Seeded(t)
	verify := func(t *testing.T, tenant string) (out, log string, code int) {
		t.Helper()
		command := exec.CommandContext(t.Context(), os.Args[0], "verify", "ledgers", "--tenant", tenant, "--database-url="+url, "--state-dir="+t.TempDir())
		command.Env = append(os.Environ(), asProgram+"=1")
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		_ = command.Run()
		return stdout.String(), stderr.String(), command.ProcessState.ExitCode()
	}
	const credit, cards = `credit: \d+ balances, \d{2,} entries, 0 wrong\n`, `gift cards: \d+ balances, \d{2,} entries, 0 wrong\n`
	t.Run("says how much it looked at", func(t *testing.T) {
		out, log, code := verify(t, "demo")
		require.Zero(t, code, log)
		require.Regexp(t, `^points: \d+ balances, \d{3,} entries, 0 wrong\n`+credit+cards+`$`, out)
		require.Contains(t, log, "entries 100%")
	})
	t.Run("names what is wrong and fails", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
		defer func() { _ = conn.Close(t.Context()) }()
		var account string
		require.NoError(t, conn.QueryRow(t.Context(), `UPDATE loyalty_account SET balance = balance + 1, lifetime_earned = lifetime_earned + 1
			WHERE (tenant_id, id) = (SELECT tenant_id, id FROM loyalty_account WHERE tenant_id = (SELECT id FROM tenant WHERE code = 'demo') LIMIT 1)
			RETURNING id::text`).Scan(&account))
		out, log, code := verify(t, "demo")
		require.Equal(t, 1, code)
		require.Regexp(t, `^points loy_`+account+`: balance is \d+, should be \d+\npoints loy_`+account+`: lifetime earned is \d+, should be \d+\n`+
			`points: \d+ balances, \d{3,} entries, 2 wrong\n`+credit+cards+`$`, out)
		require.Contains(t, log, "crmgraph: the ledgers of tenant demo do not add up: 2 numbers are wrong\n")
		_, _, code = verify(t, "acme")
		require.Zero(t, code, "another tenant's are right")
	})
	t.Run("knows no such tenant", func(t *testing.T) {
		out, log, code := verify(t, "nobody")
		require.Equal(t, 1, code)
		require.Empty(t, out)
		require.Contains(t, log, `crmgraph: tenant "nobody": no such tenant`)
	})
	t.Run("says why it could not", func(t *testing.T) {
		err := run(t.Context(), []string{"verify", "ledgers", "--database-url=postgres://nobody@127.0.0.1:1/none", "--state-dir=" + t.TempDir()}, io.Discard, io.Discard)
		require.ErrorContains(t, err, "reach the database")
	})
}
