//go:build linux || darwin

package embedded

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// startedAt identifies a run of a server.
const startedAt = `SELECT pg_postmaster_start_time()::text`

func TestRacingStartersShareOneServer(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	// PGOPTIONS would keep initdb's server from starting, LC_ALL change its
	// language, and the token is nothing the server should know.
	dirty := []string{"PGOPTIONS=--nonsense=1", "LC_ALL=nonsense", "HOME=/nonexistent", "API_TOKEN=hidden"}
	var racers []*process
	for range 4 {
		racers = append(racers, startProcess(t, o, dirty...))
	}
	url := racers[0].url(t)
	for _, p := range racers[1:] {
		require.Equal(t, url, p.url(t))
	}
	run := query(t, url, startedAt)
	s := mustOpen(t, o)
	for _, p := range racers {
		p.leave(t)
	}
	require.Equal(t, s.URL("postgres"), url)
	require.Equal(t, run, query(t, url, startedAt), "it stays for the last user")

	for _, line := range shell(t, url, "env") {
		name, value, _ := strings.Cut(line, "=")
		require.NotContains(t, []string{"PGOPTIONS", "HOME", "API_TOKEN"}, name)
		require.NotEqual(t, "nonsense", value, name)
	}
}

func TestCloseOfTheLastUserStopsTheServer(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	first, second := mustOpen(t, o), mustOpen(t, o)
	execute(t, first.URL("postgres"), `CREATE TABLE kept AS SELECT 'row' AS value`)

	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing twice is fine, and counts once")
	_, running := c.running()
	require.True(t, running)

	require.NoError(t, second.Close())
	_, running = c.running()
	require.False(t, running)
	requireCleanStop(t, c)

	require.Equal(t, "row", query(t, mustOpen(t, o).URL("postgres"), `SELECT value FROM kept`))
}

func TestServerLingers(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	o.Linger = time.Second
	first := mustOpen(t, o)
	run := query(t, first.URL("postgres"), startedAt)
	require.NoError(t, first.Close())
	_, running := c.running()
	require.True(t, running)

	second := mustOpen(t, o)
	require.Equal(t, run, query(t, second.URL("postgres"), startedAt))
	require.NoError(t, second.Close())
	awaitStopped(t, c)
	requireCleanStop(t, c)
}

func TestLingerBeginsWithTheLatestUser(t *testing.T) {
	t.Parallel()
	_, c := options(t)
	users, err := c.join()
	require.NoError(t, err)
	require.NoError(t, users.Close())
	latest := time.Now().Add(100 * time.Millisecond) // came while the keeper waited
	require.NoError(t, os.Chtimes(c.usersFile(), latest, latest))

	require.NoError(t, c.awaitIdle(time.Millisecond))
	require.True(t, time.Now().After(latest))
}

func TestKilledUsers(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	first := startProcess(t, o)
	run := query(t, first.url(t), startedAt)
	second := startProcess(t, o)
	url := second.url(t)

	first.kill(t)
	require.Equal(t, run, query(t, url, startedAt), "the server stays for the other user")
	execute(t, url, `CREATE TABLE kept AS SELECT 'row' AS value`)

	second.kill(t)
	awaitStopped(t, c)
	requireCleanStop(t, c)
	require.Equal(t, "row", query(t, mustOpen(t, o).URL("postgres"), `SELECT value FROM kept`))
}

func TestKilledServer(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	o.Ephemeral = false
	o.Port = ownPort(t) // nobody takes it while the server is down
	first := mustOpen(t, o)
	execute(t, first.URL("postgres"), `CREATE TABLE kept AS SELECT 'row' AS value`)
	pm, running := c.running()
	require.True(t, running)
	keepBusy(t, first.URL("postgres"))
	require.NoError(t, syscall.Kill(pm.pid, syscall.SIGKILL))
	awaitDead(t, c, pm.pid)

	second := mustOpen(t, o)
	require.Equal(t, "row", query(t, second.URL("postgres"), `SELECT value FROM kept`))
	require.Equal(t, "row", query(t, first.URL("postgres"), `SELECT value FROM kept`), "on the port others know")
}

func TestKilledKeeperIsReplaced(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	first := mustOpen(t, o)
	killKeeper(t, c)

	second := startProcess(t, o)
	second.url(t)
	require.NoError(t, first.Close())
	second.kill(t)
	awaitStopped(t, c)
	requireCleanStop(t, c)
}

// keepBusy leaves a session at work for a second, during which it does not notice
// that its server died.
func keepBusy(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		// It fails or not, depending on whether the session gets to answer.
		_, _ = conn.Exec(context.Background(), `DO $$
			DECLARE until timestamptz := clock_timestamp() + interval '1 second';
			BEGIN WHILE clock_timestamp() < until LOOP END LOOP; END $$`)
		_ = conn.Close(context.Background())
	}()
	const busy = `SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'`
	for query(t, url, busy) != "1" {
		require.NoError(t, pause(t.Context(), poll))
	}
}

// requireCleanStop checks that the server removed its pid file, which is the
// last thing it does and which a crash leaves out.
func requireCleanStop(t *testing.T, c cluster) {
	t.Helper()
	require.NoFileExists(t, filepath.Join(c.data(), "postmaster.pid"))
}

func awaitDead(t *testing.T, c cluster, pid int) {
	t.Helper()
	for serves(pid, c.data()) {
		require.NoError(t, pause(t.Context(), poll))
	}
}

// killKeeper kills the keeper of a cluster and waits until its lock is free.
func killKeeper(t *testing.T, c cluster) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-axww", "-o", "pid=,command=").Output()
	require.NoError(t, err)
	var killed int
	for line := range strings.Lines(string(out)) {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(strings.TrimSpace(command), keeperName+" "+c.dir+" ") {
			continue
		}
		pid, err := strconv.Atoi(number)
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		killed++
	}
	require.Equal(t, 1, killed, "there is one keeper")
	free, err := acquire(t.Context(), c.keeperFile())
	require.NoError(t, err)
	require.NoError(t, free.Close())
}

// ownPort is a port that was free and that no other test prefers.
func ownPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
