package planner_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// generatedDocuments is how many random documents are compared.
const generatedDocuments = 2000

// caller is who asks.
type caller struct {
	name, tenant string
	permissions  []crm.Permission
}

func callers(t *testing.T) []caller {
	t.Helper()
	return []caller{
		{"admin", "demo", role(t, "admin")},
		{"viewer", "demo", role(t, "viewer")},
		{"one who sees parties only", "demo", []crm.Permission{crm.PartyView, crm.PartySearch, crm.ContactView}},
		{"another tenant", "acme", role(t, "admin")},
	}
}

// TestSameAnswers compares what the planner answers with what the loaders answer.
func TestSameAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.visited(t)
	documents := written(t, b)
	known := explore(t, b)
	handwritten := len(documents)
	for n := range uint64(generatedDocuments) {
		documents = append(documents, generate(b.schema, known, n))
	}
	all := callers(t)
	report := &report{fields: map[string]int{}}
	var next, bad atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for bad.Load() < 6 {
				i := int(next.Add(1)) - 1
				if i >= len(documents) {
					return
				}
				who := all
				if i >= handwritten { // the admin and one more
					who = []caller{all[0], all[1+i%3]}
				}
				for _, c := range who {
					if !b.compare(t, c, documents[i], report, i >= handwritten) {
						bad.Add(1)
					}
				}
			}
		})
	}
	group.Wait()
	report.log(t)
	require.GreaterOrEqual(t, report.share(), 85, "percent of the generated root fields that can be planned, and did not fail, were")
}

// compare answers a document both ways.
func (b *bundle) compare(t *testing.T, c caller, d document, report *report, count bool) bool {
	t.Helper()
	want := b.run(b.as(t, c.tenant, c.permissions), b.loaders, d)
	got := b.run(b.as(t, c.tenant, c.permissions), b.planned, d)
	if count {
		report.note(got)
	}
	wanted, given := canonical(t, want), canonical(t, got)
	if wanted == given {
		return true
	}
	variables, err := json.Marshal(d.variables)
	require.NoError(t, err)
	t.Errorf("%s, asked by %s\n%s\nvariables %s\noutcomes %v\nloaders (-) and planner (+):\n%s", d.name, c.name, d.text, variables, got.outcomes,
		cutShort(gocmp.Diff(wanted, given), 6000))
	return false
}

// canonical is an answer with its keys and its errors in order, indented.
func canonical(t *testing.T, a answer) string {
	t.Helper()
	var data any
	if len(a.Data) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(a.Data))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil {
			return fmt.Sprintf("no JSON: %v\n%s", err, a.Data)
		}
	}
	errs := make([]string, len(a.Errors))
	for i, e := range a.Errors {
		text, err := json.Marshal(&gqlerror.Error{Message: e.Message, Path: e.Path, Extensions: e.Extensions})
		require.NoError(t, err)
		errs[i] = string(text)
	}
	slices.Sort(errs)
	text, err := json.MarshalIndent(map[string]any{"data": data, "errors": errs}, "", " ")
	require.NoError(t, err)
	return string(text)
}

// written are the queries that people wrote: those of the resolvers' tests, of the playground and
// of the benchmark.
func written(t *testing.T, b *bundle) []document {
	t.Helper()
	var documents []document
	add := func(d document) {
		if !isMutation(d) { // a planner leaves these alone, and they would change the data
			documents = append(documents, d)
		}
	}
	ask := func(question string) json.RawMessage { return b.ask(t, question) }
	golden, err := filepath.Glob("../resolvers/testdata/*.graphql")
	require.NoError(t, err)
	require.NotEmpty(t, golden)
	for _, path := range golden {
		text := read(t, path)
		add(document{name: filepath.Base(path), text: text, variables: crmtest.Let(t, text, ask)})
	}
	for _, tab := range tabs(t) {
		add(tab)
	}
	amelia := crmtest.IDAt(t, "customer(by: {number: 1001})", ask)
	for name, variables := range map[string]map[string]any{
		"lookup": {"id": amelia}, "view": {"id": amelia}, "page": {"from": json.Number("1003")}, "search": {"text": "hartmann"},
	} {
		add(document{name: name, text: read(t, "../bench/queries/"+name+".graphql"), variables: variables})
	}
	return documents
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// report counts how generated root fields were answered.
type report struct {
	mu                      sync.Mutex
	planned, loaded, failed int
	fields                  map[string]int // by name and who answered why
}

func (r *report) note(a answer) {
	failed := map[string]bool{}
	for _, e := range a.Errors {
		if len(e.Path) > 0 {
			failed[fmt.Sprint(e.Path[0])] = true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Data == nil {
		r.fields["(the whole document is refused)"]++
	}
	for key, o := range a.outcomes {
		word := "planner"
		switch {
		case failed[key]:
			r.failed++
			word = "failed"
		case o.Reason == "":
			r.planned++
		case slices.Contains(fallsBack, "Query."+o.Field):
			word = "loaders, as ever"
		default:
			r.loaded++
			word = "loaders: " + o.Reason + " " + o.Detail
		}
		r.fields[o.Field+" "+word]++
	}
}

func (r *report) share() int { return 100 * r.planned / max(1, r.planned+r.loaded) }

func (r *report) log(t *testing.T) {
	t.Helper()
	var lines strings.Builder
	for _, name := range slices.SortedFunc(maps.Keys(r.fields), func(a, b string) int { return cmp.Or(r.fields[b]-r.fields[a], cmp.Compare(a, b)) }) {
		fmt.Fprintf(&lines, "\n%6d  %s", r.fields[name], name)
	}
	t.Logf("generated root fields: %d by the planner, %d by the loaders, %d failed; planned of those that can be, and did not: %d %%%s",
		r.planned, r.loaded, r.failed, r.share(), lines.String())
}
