//go:build linux || darwin

package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// userOptions is the variable that makes this test binary a second user of a
// server instead of running tests.
const userOptions = "EMBEDDED_TEST_USER"

func TestMain(m *testing.M) {
	if options := os.Getenv(userOptions); options != "" {
		if err := beUser(options); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beUser opens a server, tells its URL, and closes it when told to.
func beUser(options string) error {
	var o Options
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		return err
	}
	s, err := Open(context.Background(), o)
	if err != nil {
		return err
	}
	fmt.Println(s.URL("postgres"))
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return s.Close()
}

// process is another process that uses a server.
type process struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// startProcess starts a process that opens a server, with more environment.
func startProcess(t *testing.T, o Options, env ...string) *process {
	t.Helper()
	options, err := json.Marshal(o)
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(context.Background(), program)
	cmd.Env = append(append(os.Environ(), env...), userOptions+"="+string(options))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return &process{cmd: cmd, in: in, out: bufio.NewReader(out)}
}

// url waits until the process has its server.
func (p *process) url(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// leave has the process close its server.
func (p *process) leave(t *testing.T) {
	t.Helper()
	require.NoError(t, p.in.Close())
	require.NoError(t, p.cmd.Wait())
}

// kill ends the process without a chance to clean up.
func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	require.Error(t, p.cmd.Wait())
}

// place is a directory any account can enter, removed after the test together
// with the server it may hold.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "embedded-test-") //nolint:usetesting // no other account can enter those of t.TempDir
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// options are those of an ephemeral server in a new place that must be gone when
// the test ends.
func options(t *testing.T) (Options, cluster) {
	t.Helper()
	o := Options{App: "crmgraph", StateDir: place(t), Ephemeral: true}
	c, err := prepare(o)
	require.NoError(t, err)
	t.Cleanup(func() { awaitStopped(t, c) })
	return o, c
}

// awaitStopped waits for the end of the keeper, which outlives the server.
func awaitStopped(t *testing.T, c cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	keeper, err := acquire(ctx, c.keeperFile())
	require.NoError(t, err)
	require.NoError(t, keeper.Close())
	_, running := c.running()
	require.False(t, running, "the keeper is gone and the server is not")
}

// mustOpen opens a server that is closed when the test ends, at the latest.
func mustOpen(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// query returns the single text value of a query.
func query(t *testing.T, url, sql string, args ...any) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var value string
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&value))
	return value
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// shell has the server run a program and returns the lines it writes.
func shell(t *testing.T, url, program string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "CREATE TEMPORARY TABLE output (line text)")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "COPY output FROM PROGRAM '"+program+"'")
	require.NoError(t, err)
	rows, err := conn.Query(t.Context(), "SELECT line FROM output")
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return lines
}
