package crm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// crowd is how many do the same at once in the tests of concurrency.
const crowd = 24

// world is a domain over the demo tenants, in a database of the test's own.
type world struct {
	url   string
	store *crm.Store
	sql   *pgxpool.Pool // as the tables' owner, past every wall
}

func newWorld(t *testing.T) *world {
	t.Helper()
	url := crmtest.Seeded(t)
	pool, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return &world{url, crmtest.Store(t, url), pool}
}

// wide returns a store that has a connection for each of a crowd.
func (w *world) wide(t *testing.T) *crm.Store {
	t.Helper()
	d, err := db.Open(t.Context(), w.url, crowd)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return &crm.Store{DB: d, CursorKey: w.store.CursorKey, Now: crmtest.Today}
}

// admin is a new request of the demo tenant's admin.
func (w *world) admin(t *testing.T) context.Context {
	t.Helper()
	return as(t, w.store)
}

// as is a new request of the demo tenant's admin at a store.
func as(t *testing.T, store *crm.Store) context.Context {
	t.Helper()
	ctx, _ := crmtest.As(t, store, "demo", "admin")
	return ctx
}

// lacking is a new request of someone who may do all but one thing.
func (w *world) lacking(t *testing.T, lacks crm.Permission) context.Context {
	t.Helper()
	all, _ := crm.RolePermissions("admin")
	var rest []crm.Permission
	for _, p := range all {
		if p != lacks {
			rest = append(rest, p)
		}
	}
	ctx, _ := crmtest.With(t, w.store, "demo", rest...)
	return ctx
}

// atOnce runs an act n times at the same time and returns the errors.
func atOnce(n int, act func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = act(i)
		})
	}
	done.Wait()
	return errs
}

// successes counts the nil errors.
func successes(errs []error) int {
	n := 0
	for _, err := range errs {
		if err == nil {
			n++
		}
	}
	return n
}

// together runs work once for each of a crowd, all at once, each in a request of its own.
func together(t *testing.T, store *crm.Store, work func(ctx context.Context, i int) error) []error {
	t.Helper()
	var requests []context.Context
	for range crowd {
		requests = append(requests, as(t, store))
	}
	return atOnce(crowd, func(i int) error { return work(requests[i], i) })
}

// winners are those of a crowd whose work succeeded; the others were refused for good.
func winners(t *testing.T, store *crm.Store, work func(ctx context.Context, i int) error) []int {
	t.Helper()
	var won []int
	for i, err := range together(t, store, work) {
		if err == nil {
			won = append(won, i)
		} else {
			require.Contains(t, []crm.Code{crm.Conflict, crm.Stale}, crm.CodeOf(err), "%v: %v", err, errors.Unwrap(err))
		}
	}
	return won
}

// ask reads the rows of a query of one column, past every wall.
func ask[T any](t *testing.T, w *world, sql string, args ...any) []T {
	t.Helper()
	rows, err := w.sql.Query(context.Background(), sql, args...)
	require.NoError(t, err, sql)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err, sql)
	return values
}

// askOne is ask for a single row.
func askOne[T any](t *testing.T, w *world, sql string, args ...any) T {
	t.Helper()
	values := ask[T](t, w, sql, args...)
	require.Len(t, values, 1, sql)
	return values[0]
}

// askDemo is askOne with the demo tenant's id as $1.
func askDemo[T any](t *testing.T, w *world, sql string, args ...any) T {
	t.Helper()
	demo := askOne[[16]byte](t, w, "SELECT id FROM tenant WHERE code = 'demo'")
	return askOne[T](t, w, sql, append([]any{demo}, args...)...)
}

// do changes rows past every wall.
func (w *world) do(t *testing.T, sql string, args ...any) {
	t.Helper()
	done, err := w.sql.Exec(context.Background(), sql, args...)
	require.NoError(t, err, sql)
	require.NotZero(t, done.RowsAffected(), sql)
}

const inDemo = "tenant_id = (SELECT id FROM tenant WHERE code = 'demo')"

// party returns the global id of the demo tenant's party with a number.
func (w *world) party(t *testing.T, number int) string {
	t.Helper()
	return "pty_" + askOne[string](t, w, "SELECT id::text FROM party WHERE "+inDemo+" AND number = $1", number)
}

// revision returns the stored revision of a party.
func (w *world) revision(t *testing.T, party string) int64 {
	t.Helper()
	return askOne[int64](t, w, "SELECT revision FROM party WHERE id = substr($1, 5)::uuid", party)
}

// find reads a party.
func (w *world) find(t *testing.T, id string) *crm.Party {
	t.Helper()
	party, err := w.store.Party(w.admin(t), crm.PartyBy{ID: &id})
	require.NoError(t, err)
	return party
}

// individual makes a person who is no customer, with an e-mail address if one is given.
func (w *world) individual(t *testing.T, lastName string, email ...string) *crm.Party {
	t.Helper()
	in := crm.IndividualCreate{LastName: &lastName}
	if len(email) > 0 {
		in.Email = &email[0]
	}
	made, err := w.store.CreateIndividual(w.admin(t), in, crm.Write{})
	require.NoError(t, err)
	return made
}

// organization makes an organisation that is no customer, below a parent if one is given.
func (w *world) organization(t *testing.T, name string, parent ...string) *crm.Party {
	t.Helper()
	in := crm.OrganizationCreate{LegalName: name, DuplicateOverride: &crm.DuplicateOverride{Justification: "for a test"}}
	if len(parent) > 0 {
		in.ParentID = &parent[0]
	}
	made, err := w.store.CreateOrganization(w.admin(t), in, crm.Write{})
	require.NoError(t, err)
	return made.Party
}

// customers are those of the demo tenant with a status.
func (w *world) customers(t *testing.T, status crm.CustomerStatus) []*crm.Customer {
	t.Helper()
	page, err := w.store.Customers(w.admin(t), &crm.CustomerWhere{Status: &crm.EnumFilter[crm.CustomerStatus]{Eq: &status}}, nil, crm.WholeList())
	require.NoError(t, err)
	require.NotEmpty(t, page.Nodes())
	return page.Nodes()
}

// amelia is the demo tenant's customer 1001.
func (w *world) amelia(t *testing.T) *crm.Customer {
	t.Helper()
	c, err := w.store.Customer(w.admin(t), crm.CustomerBy{Number: new(int64(1001))})
	require.NoError(t, err)
	return c
}

// events lists the types of a record's events in their order.
func (w *world) events(t *testing.T, record string) []string {
	t.Helper()
	return ask[string](t, w, "SELECT type FROM event WHERE record_id = substr($1, 5)::uuid ORDER BY sequence", record)
}

// rows tells the state of all tenants' tables apart.
func (w *world) rows(t *testing.T) map[string]string {
	t.Helper()
	state := map[string]string{}
	for table, kind := range db.Tables() {
		if kind == db.TenantTable {
			state[table] = askOne[string](t, w, fmt.Sprintf("SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %s t", table))
		}
	}
	return state
}

// problems are the domain errors behind an error.
func problems(err error) crm.Problems {
	if all, ok := errors.AsType[crm.Problems](err); ok {
		return all
	}
	if one, ok := errors.AsType[*crm.Error](err); ok {
		return crm.Problems{one}
	}
	return nil
}

// refusals tells the domain errors behind an error: code, reason and field.
func refusals(err error) []string {
	list := []string{}
	for _, e := range problems(err) {
		list = append(list, fmt.Sprintf("%s %s %s", e.Code, e.Reason, e.Field))
	}
	return list
}

// reasons lists those of the domain errors behind an error.
func reasons(err error) []crm.Reason {
	var list []crm.Reason
	for _, e := range problems(err) {
		list = append(list, e.Reason)
	}
	return list
}

// refused requires one domain error, with the code, the reason and the field, and returns it.
func refused(t *testing.T, err error, code crm.Code, reason crm.Reason, field string) *crm.Error {
	t.Helper()
	require.Equal(t, []string{fmt.Sprintf("%s %s %s", code, reason, field)}, refusals(err), "%v", err)
	return problems(err)[0]
}

// fields lists the paths of an input's problems.
func fields(t *testing.T, err error) []string {
	t.Helper()
	var all crm.Problems
	require.ErrorAs(t, err, &all)
	var paths []string
	for _, e := range all {
		assert.Equal(t, crm.Invalid, e.Code, e.Message)
		assert.NotEmpty(t, e.Message)
		paths = append(paths, e.Field)
	}
	return paths
}

// same requires two records to be equal; times are when they are the same instant.
func same(t *testing.T, want, got any) {
	t.Helper()
	require.Empty(t, cmp.Diff(want, got, cmpopts.IgnoreTypes(bun.BaseModel{}), cmpopts.EquateComparable()))
}

// at is a write that expects a revision.
func at(revision int64) crm.Write { return crm.Write{IfRevision: &revision} }

// keyed is a write with an idempotency key.
func keyed(key string) crm.Write { return crm.Write{IdempotencyKey: &key} }

// later lets the world's clock run on.
func (w *world) later(by time.Duration) {
	now := w.store.Now().Add(by)
	w.store.Now = func() time.Time { return now }
}

// firstPage is the first page of a list.
func firstPage(t *testing.T) crm.Page {
	t.Helper()
	page, err := crm.NewPage(nil, nil, nil, nil, nil)
	require.NoError(t, err)
	return page
}

// settings changes those of the demo tenant.
func (w *world) settings(t *testing.T, in crm.TenantSettingsUpdate) *crm.TenantSettings {
	t.Helper()
	changed, err := w.store.UpdateSettings(w.admin(t), in, crm.Write{})
	require.NoError(t, err)
	return changed
}

// textOr is a text, or another one when there is none.
func textOr(text *string, none string) string {
	if text == nil {
		return none
	}
	return *text
}

// list is a list that is given.
func list(values ...string) graphql.Omittable[[]string] { return graphql.OmittableOf(values) }

// given is a value of an update, cleared one that is taken away.
func given[T any](v T) graphql.Omittable[*T] { return graphql.OmittableOf(&v) }

func cleared[T any]() graphql.Omittable[*T] { return graphql.OmittableOf[*T](nil) }
