package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/browser"
	"crmgraph/internal/crmtest"
	"crmgraph/playground"
	"crmgraph/rest/durion"
)

// address waits for the line that tells where the server listens.
func address(t testing.TB, out io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, base, ok := strings.Cut(lines.Text(), "GraphQL"); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return strings.TrimSuffix(strings.TrimSpace(base), "/graphql")
		}
	}
	require.NoError(t, lines.Err())
	require.Fail(t, "the server ended before it listened")
	return ""
}

// start runs the server inside the test over a seeded database and returns its address,
// its log and what stops it.
func start(t testing.TB, args ...string) (base string, log *bytes.Buffer, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	log = &bytes.Buffer{}
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"serve", "--addr=127.0.0.1:0", "--development=on",
			"--database-url=" + crmtest.Seeded(t), "--state-dir=" + t.TempDir()}, args...), in, log)
		_ = in.Close()
		done <- err
	}()
	var once error
	stopped := false
	stop = func() error {
		if !stopped {
			cancel()
			once, stopped = <-done, true
		}
		return once
	}
	t.Cleanup(func() { require.NoError(t, stop()) })
	return address(t, out), log, stop
}

// tokenOf fetches a token as the playground does.
func tokenOf(t testing.TB, base, tenant, role string) string {
	t.Helper()
	response, err := http.Post(base+"/playground/token", "application/json", strings.NewReader(fmt.Sprintf(`{"tenant": %q, "role": %q}`, tenant, role)))
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var answer struct{ Token string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Token
}

// send posts a body to the graph with the token and returns status and answer.
func send(t testing.TB, base, token, mediaType, body string) (int, string) {
	t.Helper()
	return sendTo(t, http.MethodPost, base+"/graphql", token, mediaType, body)
}

// sendTo is send for any method and address.
func sendTo(t testing.TB, method, url, token, mediaType, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

// ask is send for a document.
func ask(t testing.TB, base, token, document string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	require.NoError(t, err)
	status, text := send(t, base, token, "application/json", string(body))
	require.Equal(t, http.StatusOK, status, text)
	return text
}

// tabNeeds says which tabs of the playground need more than a viewer may.
func tabNeeds() map[string]crm.Permission {
	return map[string]crm.Permission{
		"create-customer": crm.PartyCreate, "duplicate-check": crm.PartyCreate, "update-customer": crm.PartyEdit,
		"transfer-vehicle": crm.AssociationEdit, "consent": crm.PreferenceEdit, "hand-over-role": crm.ContactCreate,
		"register-warranty": crm.WarrantyCreate, "merge-preview": crm.PartyMerge, "merge": crm.PartyMerge, "events": crm.EventView,
		"earn-and-redeem": crm.LoyaltyEdit,
		"gift-card":       crm.GiftCardEdit,
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	get := func(t *testing.T, path string) (int, string) {
		t.Helper()
		response, err := http.Get(base + path)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(text)
	}
	t.Run("answers with a token", func(t *testing.T) {
		require.Contains(t, ask(t, base, tokenOf(t, base, "demo", "viewer"), "{ customer(by: {number: 1001}) { party { displayName } } }"), "Amelia Hartmann")
	})
	t.Run("every tab of the playground answers", func(t *testing.T) {
		tabs, err := playground.Tabs()
		require.NoError(t, err)
		for _, role := range []string{"viewer", "agent", "admin"} { // who may do least comes first
			permissions, ok := crm.RolePermissions(role)
			require.True(t, ok)
			token := tokenOf(t, base, "demo", role)
			for _, tab := range tabs {
				body, err := json.Marshal(map[string]any{"query": tab.Query, "variables": tab.Variables})
				require.NoError(t, err)
				status, text := send(t, base, token, "application/json", string(body))
				require.Equal(t, http.StatusOK, status, tab.Name)
				if need, some := tabNeeds()[tab.Name]; some && !crm.NewPermissions(permissions...).Has(need) {
					require.Contains(t, text, "FORBIDDEN", "%s as %s", tab.Name, role)
					continue
				}
				require.NotContains(t, text, `"errors"`, "%s as %s", tab.Name, role)
				require.NotContains(t, text, `"data":{"customer":null`, tab.Name)
				require.NotContains(t, text, `"nodes":[]}}}`, tab.Name)
				if tab.Name == "duplicate-check" {
					require.Contains(t, text, "EXACT_NAME_MATCH")
				} else if role == "agent" || tab.Name == "merge" { // whoever is the first who may
					require.NotContains(t, text, `"userErrors":[{`, tab.Name)
				}
			}
		}
	})
	t.Run("refuses without a token, with its correlation id", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/graphql", strings.NewReader(`{"query":"{__typename}"}`))
		require.NoError(t, err)
		request.Header.Set("X-Correlation-Id", "abc-1")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode)
		require.Equal(t, "abc-1", response.Header.Get("X-Correlation-Id"))
		require.Contains(t, response.Header.Get("WWW-Authenticate"), "Bearer")
		require.JSONEq(t, `{"errors":[{"message":"a valid access token is required","extensions":{"code":"UNAUTHENTICATED","requestId":"abc-1"}}]}`, string(text))
	})
	t.Run("tells how it is", func(t *testing.T) {
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "crmgraph_graphql_seconds_count", "/playground/": "crmgraph"} {
			status, text := get(t, path)
			require.Equal(t, http.StatusOK, status, path)
			require.Contains(t, text, want)
		}
	})
	t.Run("hands out no token to another site", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/playground/token", strings.NewReader(`{"tenant":"demo","role":"admin"}`))
		require.NoError(t, err)
		request.Header.Set("Origin", "http://evil.example")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		_ = response.Body.Close()
		require.Equal(t, http.StatusForbidden, response.StatusCode)
	})
}

// The README's requests give the README's answers.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	examples := regexp.MustCompile("(?s)curl -s http://127.0.0.1:8080(/\\S+)([^`]*)```\n\n```json\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, examples, 3)
	base, _, _ := start(t)
	token := tokenOf(t, base, "demo", "admin")
	for _, example := range examples {
		method, body := http.MethodGet, ""
		if _, data, ok := strings.Cut(example[2], "-d '"); ok {
			method, body = http.MethodPost, data[:strings.LastIndex(data, "'")]
		}
		status, got := sendTo(t, method, base+example[1], token, "application/json", body)
		require.Equal(t, http.StatusOK, status, got)
		require.JSONEq(t, example[3], got)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	base, log, stop := start(t, "--log-level=DEBUG")
	token := tokenOf(t, base, "demo", "admin")
	const secret = "zq.secret@example.com"
	query := func(document string) string {
		body, err := json.Marshal(map[string]string{"query": document})
		require.NoError(t, err)
		return string(body)
	}
	for name, c := range map[string]struct {
		mediaType, body string
		status          int
		says            string
	}{
		"malformed JSON":               {"application/json", `{"query": "{ __typename }", ` + secret, 400, "JSON"},
		"wrong media type":             {"text/plain", query("{ __typename }"), 415, "application/json"},
		"an unknown field":             {"application/json", query(`{ customers(where: {code: {eq: "` + secret + `"}}) { nope } }`), 200, "nope"},
		"a page of 101":                {"application/json", query("{ customers(first: 101) { nodes { id } } }"), 200, "first must be between 1 and 100"},
		"a page of 2^31":               {"application/json", query("{ customers(first: 2147483648) { nodes { id } } }"), 200, "first"},
		"a text for a number":          {"application/json", `{"query": "query ($n: Int) { customers(first: $n) { nodes { id } } }", "variables": {"n": "12"}}`, 200, "n"},
		"NUL in a variable":            {"application/json", `{"query": "query ($t: String!) { search(text: $t) { score } }", "variables": {"t": "a\u0000` + secret + `"}}`, 200, "t"},
		"NUL in a literal":             {"application/json", query("{ search(text: \"a\\u0000\") { score } }"), 200, ""},
		"invalid UTF-8":                {"application/json", "{\"query\": \"{ search(text: \\\"\xff\xfe\\\") { score } }\"}", 400, ""},
		"an id of another type":        {"application/json", query(`{ vehicle(by: {id: "cus_018f0000-0000-7000-8000-000000000000"}) { id } }`), 200, "veh_"},
		"a cursor that is none":        {"application/json", query(`{ customers(after: "` + secret + `") { nodes { id } } }`), 200, "cursor"},
		"two documents at once":        {"application/json", `[{"query": "{ __typename }"}]`, 400, ""},
		"a body over the limit":        {"application/json", `{"query": "` + strings.Repeat(" ", 1<<20) + `"}`, 413, ""},
		"too much at once":             {"application/json", query("{ customers(first: 100) { nodes { vehicles(first: 100) { nodes { warranties(first: 100) { nodes { id } } } } } } }"), 200, "COST_LIMIT_EXCEEDED"},
		"a mutation that is not there": {"application/json", query("mutation { x }"), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := send(t, base, token, c.mediaType, c.body)
			require.Equal(t, c.status, status, text)
			require.Contains(t, text, `"errors"`)
			require.Contains(t, text, c.says)
			require.NotContains(t, text, secret)
			require.NotContains(t, text, "SQL")
			require.Less(t, len(text), 64<<10)
		})
	}
	t.Run("nothing personal in the log", func(t *testing.T) {
		require.Contains(t, ask(t, base, token, `{ customer(by: {email: "amelia.hartmann@example.com"}) { number } }`), "1001")
		require.NoError(t, stop())
		require.Contains(t, log.String(), "correlationId")
		for _, personal := range []string{secret, "amelia", "hartmann", token} {
			require.NotContains(t, strings.ToLower(log.String()), personal)
		}
	})
}

func TestShutdownFinishesRequests(t *testing.T) {
	t.Parallel()
	base, _, stop := start(t)
	token := tokenOf(t, base, "demo", "admin")
	host := strings.TrimPrefix(base, "http://")
	conn, err := net.Dial("tcp", host)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	body := `{"query": "{ __typename }"}`
	// The server has begun this request; its body comes after the shutdown has begun.
	_, err = fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", host, token, len(body), body[:5])
	require.NoError(t, err)
	require.Eventually(t, func() bool { // a later connection was served, so the first was accepted
		response, err := http.Get(base + "/healthz")
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	}, 5*time.Second, time.Millisecond)
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	require.Eventually(t, func() bool {
		late, err := net.Dial("tcp", host)
		if err == nil {
			_ = late.Close()
		}
		return err != nil
	}, 5*time.Second, time.Millisecond, "new connections are refused")
	_, err = io.WriteString(conn, body[5:])
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), `"__typename":"Query"`)
	require.NoError(t, <-stopped)
}

func TestPlaygroundInABrowser(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	require.True(t, playground.Built(), "run: make playground")
	browser.Run(t, base)
}

func TestContractInABrowser(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	require.True(t, playground.Built(), "run: make playground")
	text := browser.Contract(t, base, "durion", "Parties", "mergeParties")
	for _, route := range durion.Routes() {
		require.Contains(t, strings.ReplaceAll(text, "\u200b", ""), route.Path, route.ID)
	}
	require.Contains(t, text, "Merge parties into one")
	require.Contains(t, text, "Needs crm:party:merge.")
	require.Contains(t, text, "Id of a party.", "what is in the path can be filled in")
	require.Contains(t, text, "durion.yaml")
}

func TestCommands(t *testing.T) {
	t.Parallel()
	database, state := crmtest.Migrated(t), t.TempDir()
	command := func(t *testing.T, args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		err := run(t.Context(), append(args, "--database-url="+database, "--state-dir="+state), &out, io.Discard)
		return out.String(), err
	}
	t.Run("token prints just the token", func(t *testing.T) {
		out, err := command(t, "token", "--tenant", "demo", "--role", "viewer", "--ttl", "1h")
		require.NoError(t, err)
		require.Regexp(t, `^ey[\w-]+\.[\w-]+\.[\w-]+\n$`, out)
	})
	t.Run("token refuses a role that is none", func(t *testing.T) {
		_, err := command(t, "token", "--role", "king")
		require.ErrorContains(t, err, "--role")
	})
	t.Run("migrate says what it did", func(t *testing.T) {
		out, err := command(t, "migrate")
		require.NoError(t, err)
		require.Equal(t, "the schema is up to date\n", out)
	})
	t.Run("seed fills an empty database once", func(t *testing.T) {
		out, err := command(t, "seed")
		require.NoError(t, err)
		require.Equal(t, "seeded the tenants demo and acme\n", out)
		out, err = command(t, "seed")
		require.NoError(t, err)
		require.Contains(t, out, "nothing seeded")
	})
	t.Run("seed adds a tenant of any size", func(t *testing.T) {
		out, err := command(t, "seed", "--customers", "50", "--tenant", "small")
		require.NoError(t, err)
		require.Equal(t, "seeded tenant small with 50 customers\n", out)
	})
	t.Run("a database that is not there is an error", func(t *testing.T) {
		err := run(t.Context(), []string{"migrate", "--database-url=postgres://nobody@127.0.0.1:1/none"}, io.Discard, io.Discard)
		require.ErrorContains(t, err, "reach the database")
	})
}

// program is the built binary with the embedded database.
type program struct {
	*exec.Cmd
	base string
}

// launch starts the binary with a state directory on a free port.
func launch(t *testing.T, binary, state string) *program {
	t.Helper()
	cmd := exec.Command(binary, "--addr=127.0.0.1:0", "--state-dir="+state)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &program{Cmd: cmd, base: address(t, out)}
}

// customers asks for the number of customers.
func (p *program) customers(t *testing.T) string {
	t.Helper()
	return ask(t, p.base, tokenOf(t, p.base, "demo", "admin"), "{ customers { totalCount } }")
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for dir := home; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755)) // the database's account must reach its data
	}
	binary := filepath.Join(home, "crmgraph")
	build, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(build))
	state := filepath.Join(home, "state")

	first := launch(t, binary, state)
	count := first.customers(t)
	require.Regexp(t, `"totalCount":[1-9]\d\d`, count)
	other := launch(t, binary, filepath.Join(home, "other"))
	require.Equal(t, count, other.customers(t), "a second copy runs beside it")
	require.NoError(t, other.Process.Signal(os.Interrupt))
	require.NoError(t, other.Wait(), "Ctrl-C ends it cleanly")

	pid := postmaster(t, state)
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, 20*time.Second, 20*time.Millisecond,
		"the database does not outlive a killed server")

	again := launch(t, binary, state)
	require.Equal(t, count, again.customers(t), "nothing is lost")
	require.NoError(t, again.Process.Signal(syscall.SIGTERM))
	require.NoError(t, again.Wait())
	require.NoFileExists(t, filepath.Join(state, "postgres", "data", "postmaster.pid"), "the database is stopped before the program ends")
}

// postmaster reads the process id of the embedded server.
func postmaster(t *testing.T, state string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(state, "postgres", "data", "postmaster.pid"))
	require.NoError(t, err)
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	require.NoError(t, err)
	return pid
}

// A GET carries the query in its address.
func TestGet(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/graphql?query="+url.QueryEscape("{ customer(by: {number: 1001}) { number } }"), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+tokenOf(t, base, "demo", "viewer"))
	request.Header.Set("Accept", "application/graphql-response+json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, response.Header.Get("Content-Type"), "application/graphql-response+json")
	require.Contains(t, string(text), `"data":{"customer":{"number":1001}}`)
}
