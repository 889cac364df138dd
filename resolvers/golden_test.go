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
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden runs every document of testdata as the demo tenant's admin.
func TestGolden(t *testing.T) {
	t.Parallel()
	b := setup(t)
	documents, err := filepath.Glob("testdata/*.graphql")
	require.NoError(t, err)
	require.NotEmpty(t, documents)
	for _, path := range documents {
		name := strings.TrimSuffix(filepath.Base(path), ".graphql")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document, err := os.ReadFile(path)
			require.NoError(t, err)
			got := b.admin(t, string(document), nil)
			require.Empty(t, got.Errors)
			var pretty bytes.Buffer
			require.NoError(t, json.Indent(&pretty, got.Data, "", "  "))
			pretty.WriteByte('\n')
			golden := strings.TrimSuffix(path, ".graphql") + ".golden.json"
			if *update {
				require.NoError(t, os.WriteFile(golden, pretty.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(string(want), pretty.String()))
		})
	}
}
