package resolvers_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
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

// golden compares what a document answers with its golden file. A comment such as
//
//	# let amelia = customer(by: {number: 1001})
//
// gives the document the variable $amelia, the id of that record. Further fields, each after a
// dot, lead from it to another one; of a list, that at [n] counts:
//
//	# let erp = customer(by: {number: 1001}) . party . identifiers[2]
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

var letLine = regexp.MustCompile(`(?m)^# let (\w+) = (.+)$`)

// let looks up the records that a document's comments name.
func (b *bundle) let(t *testing.T, document string) map[string]any {
	t.Helper()
	variables := map[string]any{}
	for _, m := range letLine.FindAllStringSubmatch(document, -1) {
		variables[m[1]] = b.id(t, m[2])
	}
	return variables
}

var step = regexp.MustCompile(`^(.*?)(?:\[(\d+)\])?$`)

// id finds the id of the record that fields lead to, the first of which is a root field.
func (b *bundle) id(t *testing.T, path string) string {
	t.Helper()
	fields := strings.Split(path, " . ")
	selection := "id"
	for i := len(fields) - 1; i >= 0; i-- {
		fields[i] = strings.TrimSpace(fields[i])
		selection = fmt.Sprintf("record: %s { %s }", step.FindStringSubmatch(fields[i])[1], selection)
	}
	var found any
	b.admin(t, "{ "+selection+" }", nil).into(t, &found)
	for _, field := range fields {
		found = found.(map[string]any)["record"]
		if n := step.FindStringSubmatch(field)[2]; n != "" {
			at, err := strconv.Atoi(n)
			require.NoError(t, err)
			require.Greater(t, len(found.([]any)), at, path)
			found = found.([]any)[at]
		}
		require.NotNil(t, found, path)
	}
	return found.(map[string]any)["id"].(string)
}
