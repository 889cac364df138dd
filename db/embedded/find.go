//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The major versions of PostgreSQL this package works with.
const (
	oldestMajor = 14
	newestMajor = 18
)

// binaries is a directory with the server programs of one major version.
type binaries struct {
	dir   string
	major int
}

func (b binaries) program(name string) string { return filepath.Join(b.dir, name) }

// find returns the binaries of a major version, for 0 of the newest one this
// machine has. What is installed goes before what can be fetched.
func find(ctx context.Context, o Options, run account, major int) (binaries, error) {
	if major != 0 && !supported(major) {
		return binaries{}, fmt.Errorf("the cluster is of PostgreSQL %d; versions %d to %d are supported",
			major, oldestMajor, newestMajor)
	}
	if o.BinDir != "" {
		return explicit(ctx, run, o.BinDir, major)
	}
	bin, ok := installed(ctx, run, major)
	if err := ctx.Err(); err != nil {
		return binaries{}, err // the search was cut short
	}
	if ok {
		return bin, nil
	}
	bin, err := fetched(ctx, o, run, major)
	if err != nil {
		return binaries{}, noneFound(major, err)
	}
	return bin, nil
}

func supported(major int) bool { return oldestMajor <= major && major <= newestMajor }

func noneFound(major int, cause error) error {
	wanted := fmt.Sprintf("PostgreSQL %d to %d", oldestMajor, newestMajor)
	if major != 0 {
		wanted = fmt.Sprintf("PostgreSQL %d, which made the cluster,", major)
	}
	return fmt.Errorf("%s is not on this machine and could not be fetched (%w): install its server package, "+
		"name the directory that holds its initdb and postgres, or set DATABASE_URL", wanted, cause)
}

// explicit checks the directory somebody chose. Another one would be a surprise.
func explicit(ctx context.Context, run account, dir string, major int) (binaries, error) {
	bin, err := probe(ctx, run, dir)
	if err != nil {
		return binaries{}, err
	}
	if major != 0 && bin.major != major {
		return binaries{}, fmt.Errorf("the cluster is of PostgreSQL %d, but %s holds PostgreSQL %d: "+
			"name binaries of version %[1]d, or export and import the data", major, dir, bin.major)
	}
	return bin, nil
}

func installed(ctx context.Context, run account, major int) (binaries, bool) {
	var newest binaries
	for _, dir := range candidates(ctx) {
		bin, err := probe(ctx, run, dir)
		if err != nil {
			continue
		}
		if bin.major == major {
			return bin, true
		}
		if major == 0 && bin.major > newest.major {
			newest = bin
		}
	}
	return newest, newest.major != 0
}

// candidates lists the directories on this machine that may hold a server.
func candidates(ctx context.Context) []string {
	var dirs []string
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(initdb))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                   // Red Hat
		"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew on Apple silicon
		"/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
		"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	} {
		found, _ := filepath.Glob(pattern) // fails for malformed patterns only
		dirs = append(dirs, found...)
	}
	var resolved []string
	for _, dir := range dirs {
		dir, err := filepath.EvalSymlinks(dir)
		if err == nil && !slices.Contains(resolved, dir) {
			resolved = append(resolved, dir)
		}
	}
	return resolved
}

// probe checks that a directory holds a server the account can run, of a
// supported version and with the extensions that come in packages of their own
// on some systems.
func probe(ctx context.Context, run account, dir string) (binaries, error) {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return binaries{}, fmt.Errorf("no PostgreSQL server: %w", err)
		}
	}
	// initdb looks at the server beside it for this, and knows where their
	// shared files are. The data directory is never touched.
	cmd := run.command(ctx, filepath.Join(dir, "initdb"), "--show", "--pgdata=/nonexistent")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("%s does not work: %w\n%s", cmd.Path, err, out)
	}
	shown := string(out)
	major := majorOf(value(shown, "VERSION"))
	if !supported(major) {
		return binaries{}, fmt.Errorf("%s holds PostgreSQL %s; versions %d to %d are supported",
			dir, value(shown, "VERSION"), oldestMajor, newestMajor)
	}
	control := filepath.Join(value(shown, "share_path"), "extension", "pg_trgm.control")
	if _, err := os.Stat(control); err != nil {
		return binaries{}, fmt.Errorf("the PostgreSQL in %s lacks its contrib extensions: %w", dir, err)
	}
	return binaries{dir: dir, major: major}, nil
}

// value returns what follows "name=" on a line of the text.
func value(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// majorOf returns the major version of "15.18 (Debian …)" or "18beta1", else 0.
func majorOf(version string) int {
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(version)
	}
	major, err := strconv.Atoi(version[:end])
	if err != nil {
		return 0
	}
	return major
}

var errOffline = errors.New("fetching is switched off")
