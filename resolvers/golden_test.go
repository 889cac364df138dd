package resolvers_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/crmtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden runs every document of testdata as the demo tenant's admin.
func TestGolden(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, path := range documents(t, "testdata/*.graphql") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b.golden(t, path)
		})
	}
}

// TestGoldenMutations runs every document of testdata/mutations in a database of its own.
func TestGoldenMutations(t *testing.T) {
	t.Parallel()
	for name, path := range documents(t, "testdata/mutations/*.graphql") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setup(t).golden(t, path)
		})
	}
}

func documents(t *testing.T, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	found := map[string]string{}
	for _, path := range paths {
		found[strings.TrimSuffix(filepath.Base(path), ".graphql")] = path
	}
	return found
}

// golden compares what a document answers with its golden file.
func (b *bundle) golden(t *testing.T, path string) {
	t.Helper()
	got := b.pretty(t, path)
	if *update {
		require.NoError(t, os.WriteFile(goldenOf(path), []byte(got), 0o644))
	}
	sameAsGolden(t, path, got)
}

func goldenOf(path string) string { return strings.TrimSuffix(path, ".graphql") + ".golden.json" }

func sameAsGolden(t *testing.T, path, got string) {
	t.Helper()
	want, err := os.ReadFile(goldenOf(path))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(string(want), got))
}

// pretty is what a document answers, indented.
func (b *bundle) pretty(t *testing.T, path string) string {
	t.Helper()
	document, err := os.ReadFile(path)
	require.NoError(t, err)
	got := b.admin(t, string(document), b.let(t, string(document)))
	require.Empty(t, got.Errors)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, got.Data, "", "  "))
	pretty.WriteByte('\n')
	return pretty.String()
}

// let looks up the records that a document's comments name, see [crmtest.Let].
func (b *bundle) let(t *testing.T, document string) map[string]any {
	t.Helper()
	return crmtest.Let(t, document, b.ask(t))
}

// id finds the id of the record that fields lead to.
func (b *bundle) id(t *testing.T, path string) string {
	t.Helper()
	return crmtest.IDAt(t, path, b.ask(t))
}

// ask answers documents, without errors, as the demo tenant's admin.
func (b *bundle) ask(t *testing.T) func(string) json.RawMessage {
	t.Helper()
	return func(document string) json.RawMessage {
		got := b.admin(t, document, nil)
		require.Empty(t, got.Errors)
		return got.Data
	}
}
