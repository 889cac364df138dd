package resolvers_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"crmgraph/internal/crmtest"
)

// TestMutationsKilledInTheMiddle ends every mutation of testdata/mutations when it is about to
// be done: what it wrote so far is gone, its idempotency key included, and the same mutation
// sent again has its effect.
func TestMutationsKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, path := range documents(t, "testdata/mutations/*.graphql") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := crmtest.Seeded(t)
			b := setupAt(t, url)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			k := newKiller(t, url)
			variables := b.let(t, string(text))
			killed := 0
			for _, act := range acts(t, string(text), variables) {
				if k.kill(t, b, act) {
					killed++
				}
				got := b.admin(t, act.document, act.variables)
				require.Empty(t, got.Errors, act.name)
			}
			require.Positive(t, killed, "no mutation of the document reached its last batch")
		})
	}
}

// act is one mutation of a document, as a document of its own.
type act struct {
	name, document string
	variables      map[string]any
}

// acts takes a document apart: each of its fields, with the variables it uses.
func acts(t *testing.T, document string, variables map[string]any) []act {
	t.Helper()
	whole, err := gqlparser.LoadQueryWithRules(schema(), document, nil)
	require.Empty(t, err)
	var list []act
	for _, selection := range whole.Operations[0].SelectionSet {
		field := selection.(*ast.Field)
		one := *whole.Operations[0]
		one.SelectionSet = ast.SelectionSet{field}
		one.VariableDefinitions = nil
		a := act{name: field.Alias, variables: map[string]any{}}
		text := render(&ast.QueryDocument{Operations: ast.OperationList{&one}})
		for _, v := range whole.Operations[0].VariableDefinitions {
			if regexp.MustCompile(`\$` + v.Variable + `\b`).MatchString(text) {
				one.VariableDefinitions = append(one.VariableDefinitions, v)
				a.variables[v.Variable] = variables[v.Variable]
			}
		}
		a.document = render(&ast.QueryDocument{Operations: ast.OperationList{&one}, Fragments: spread(text, whole.Fragments)})
		list = append(list, a)
	}
	return list
}

// spread picks the fragments that a text spreads, those of the fragments included.
func spread(text string, all ast.FragmentDefinitionList) ast.FragmentDefinitionList {
	var used ast.FragmentDefinitionList
	for again := true; again; {
		again = false
		for _, f := range all {
			if used.ForName(f.Name) == nil && regexp.MustCompile(`\.\.\.\s*`+f.Name+`\b`).MatchString(text) {
				used, again = append(used, f), true
				text += render(&ast.QueryDocument{Fragments: ast.FragmentDefinitionList{f}})
			}
		}
	}
	return used
}

func render(document *ast.QueryDocument) string {
	var b strings.Builder
	formatter.NewFormatter(&b).FormatQueryDocument(document)
	return b.String()
}

// killer ends requests that wait to write their events, which every change does last.
type killer struct{ holder, watcher *pgx.Conn }

func newKiller(t *testing.T, url string) killer {
	t.Helper()
	return killer{crmtest.Connect(t, url), crmtest.Connect(t, url)}
}

// kill runs an act until it waits and ends it there. It returns false for an act that never
// came so far because it was refused or replayed.
func (k killer) kill(t *testing.T, b *bundle, a act) bool {
	t.Helper()
	before := rowsOf(t, k.watcher, "demo")
	exec := func(sql string) {
		_, err := k.holder.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	exec("BEGIN; LOCK TABLE event IN SHARE MODE")
	ctx, statements := crmtest.As(t, b.store, "demo", "admin")
	ctx, end := context.WithCancel(b.store.Begin(ctx))
	defer end()
	answered := make(chan answer, 1)
	go func() { answered <- b.run(b.store.Begin(ctx), t, statements, a.document, a.variables) }()
	waiting, refused := false, false
	var got answer
	require.Eventually(t, func() bool {
		select {
		case got = <-answered:
			refused = true
		default:
			require.NoError(t, k.watcher.QueryRow(context.Background(), `SELECT EXISTS (SELECT 1 FROM pg_locks
				WHERE relation = 'event'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND NOT granted)`).Scan(&waiting))
		}
		return waiting || refused
	}, 3*time.Second, time.Millisecond, a.name)
	if waiting {
		end()
		got = <-answered
		require.NotEmpty(t, got.Errors, "%s: a killed request is no success", a.name)
	}
	exec("ROLLBACK")
	after := rowsOf(t, k.watcher, "demo")
	if refused {
		require.Empty(t, got.Errors, a.name)
		delete(before, "idempotency_key") // refusals are kept
		delete(after, "idempotency_key")
	}
	require.Equal(t, before, after, "%s: nothing is written without its event", a.name)
	return waiting
}
