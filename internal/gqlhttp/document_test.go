package gqlhttp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/internal/limits"
)

func cache(t *testing.T) *documents {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: `type Query { a: Int sum(of: [Int!]): Int }`})
	require.NoError(t, err)
	return newDocuments(schema, limits.New(limits.Default(), schema))
}

// get returns the document of a text that must be fine.
func get(t *testing.T, d *documents, text string) *document {
	t.Helper()
	doc, errs := d.get(text)
	require.Empty(t, errs)
	return doc
}

func TestDocumentCache(t *testing.T) {
	t.Parallel()

	t.Run("parses a text once", func(t *testing.T) {
		t.Parallel()
		d := cache(t)
		first := get(t, d, `{ a }`)
		require.Same(t, first, get(t, d, `{ a }`))
		require.NotSame(t, first, get(t, d, `{ a  }`))
	})

	t.Run("keeps 1,000 documents and forgets the one not used for longest", func(t *testing.T) {
		t.Parallel()
		d := cache(t)
		first, second := get(t, d, `{ first: a }`), get(t, d, `{ second: a }`)
		for i := range maxDocuments - 2 {
			get(t, d, fmt.Sprintf(`{ a%d: a }`, i))
		}
		require.Same(t, first, get(t, d, `{ first: a }`))
		get(t, d, `{ another: a }`)
		require.Equal(t, maxDocuments, d.kept.Len())
		require.Equal(t, maxDocuments, d.nodes, "each of these has one node")
		require.Same(t, first, get(t, d, `{ first: a }`))
		require.NotSame(t, second, get(t, d, `{ second: a }`))
	})

	t.Run("does not keep long texts", func(t *testing.T) {
		t.Parallel()
		d := cache(t)
		text := `{ a }` + strings.Repeat(" ", maxText-len(`{ a }`))
		kept, forgotten := get(t, d, text), get(t, d, text+" ")
		require.Same(t, kept, get(t, d, text))
		require.NotSame(t, forgotten, get(t, d, text+" "))
		require.Equal(t, 1, d.kept.Len())
	})

	t.Run("does not keep refused documents", func(t *testing.T) {
		t.Parallel()
		d := cache(t)
		for _, text := range []string{`{`, `{ unknown }`, `{ a ...F }`} {
			_, errs := d.get(text)
			require.NotEmpty(t, errs)
		}
		require.Zero(t, d.kept.Len())
		require.Zero(t, d.nodes)
	})

	t.Run("bounds the nodes it keeps", func(t *testing.T) {
		t.Parallel()
		d := cache(t)
		size := 0
		for i := range maxDocuments / 10 {
			var text strings.Builder
			for j := range 7 {
				fmt.Fprintf(&text, `a%dx%d: sum(of: [%s]) `, i, j, strings.Repeat("1 ", 240))
			}
			size = get(t, d, `{ `+text.String()+`}`).nodes
		}
		require.Greater(t, size*maxDocuments/10, maxNodes)
		require.LessOrEqual(t, d.nodes, maxNodes)
		require.Equal(t, maxNodes/size, d.kept.Len())
	})
}
