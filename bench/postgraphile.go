package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed postgraphile
var postgraphile embed.FS

const (
	oldestNode = 20
	// installing is how long npm may take.
	installing = 10 * time.Minute
)

// addPostGraphile adds PostGraphile, or the reason why it is not measured.
func (all *sides) addPostGraphile(ctx context.Context, data *database, connections int) {
	node, err := nodeVersion(ctx)
	if err == nil {
		err = all.add(startPostGraphile(ctx, data, connections))
	}
	if err != nil {
		all.remark("PostGraphile was not measured: %v.", err)
		return
	}
	all.notes = append(all.notes, fmt.Sprintf("PostGraphile is version %s on Node %s: two processes with half of the connections each, "+
		"as the tables' owner, the tenant a plain condition. It has no document for what moves points. "+
		"Its answers are compared after they were brought into the graph's shape.", postgraphileVersion(), node))
}

// nodeVersion returns the version of Node, which must not be too old, and finds npm.
func nodeVersion(ctx context.Context) (string, error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return "", err
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldestNode {
		return "", fmt.Errorf("Node %s is older than %d", version, oldestNode) //nolint:staticcheck // its name
	}
	return version, nil
}

func startPostGraphile(ctx context.Context, data *database, connections int) (*side, error) {
	directory := filepath.Join(data.state, postgraphileSide)
	if err := installPostGraphile(ctx, directory); err != nil {
		return nil, err
	}
	p, err := start(data.state, program{
		name: postgraphileSide, path: "node", args: []string{"server.mjs"}, directory: directory, children: true,
		environment: []string{
			"DATABASE_URL=" + data.url, "TENANT=" + data.sample.tenant.String(), "CONNECTIONS=" + strconv.Itoa(connections),
			"NODE_ENV=production", "GRAPHILE_ENV=production",
		},
	})
	if err != nil {
		return nil, err
	}
	return &side{name: postgraphileSide, process: p, warm: 5, spell: spellPostGraphile, request: func(w workload, v variables) ([]byte, error) {
		document := postgraphileDocument(w)
		if document == "" {
			return nil, nil
		}
		body, err := json.Marshal(map[string]any{"query": document, "variables": postgraphileVariables(data.sample.tenant.String(), v)})
		if err != nil {
			return nil, err
		}
		return wire("http://"+p.address+"/graphql", "", body)
	}}, nil
}

// installPostGraphile installs what the lock file names, unless that is there.
func installPostGraphile(ctx context.Context, directory string) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	files, err := postgraphile.ReadDir(postgraphileSide)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(directory, f.Name()), postgraphileFile(f.Name()), 0o600); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(postgraphileFile("package-lock.json"))
	stamp, installed := filepath.Join(directory, "installed"), hex.EncodeToString(sum[:])
	if has, err := os.ReadFile(stamp); err == nil && string(has) == installed {
		return nil
	}
	fmt.Fprintln(os.Stderr, "installing PostGraphile")
	ctx, cancel := context.WithTimeout(ctx, installing)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = directory
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %.300s", errors.Join(err, ctx.Err()), out)
	}
	return os.WriteFile(stamp, []byte(installed), 0o600)
}

func postgraphileFile(name string) []byte {
	text, err := postgraphile.ReadFile(postgraphileSide + "/" + name)
	if err != nil {
		panic(err) // the files are compiled in
	}
	return text
}

// postgraphileVersion is the version that package.json names.
func postgraphileVersion() string {
	found := regexp.MustCompile(`"postgraphile": "([^"]+)"`).FindSubmatch(postgraphileFile("package.json"))
	return string(found[1])
}

// postgraphileDocument is what PostGraphile is sent for a workload; empty when it has nothing
// that does the same.
func postgraphileDocument(w workload) string {
	text, err := queries.ReadFile("queries/postgraphile/" + w.name + ".graphql")
	if err != nil {
		return ""
	}
	return string(text)
}

// postgraphileVariables are those of its documents: ids without their prefix, and a searched
// text as the limit passes it on.
func postgraphileVariables(tenant string, v variables) map[string]any {
	given := map[string]any{"tenant": tenant}
	switch {
	case v.ID != "":
		given["id"] = v.argument()
	case v.Text != "":
		given["text"], given["code"], given["exact"] = v.Text, strings.ReplaceAll(v.Text, " ", ""), strings.ToUpper(v.Text)
	default:
		given["from"] = strconv.FormatInt(v.From, 10)
	}
	return given
}
