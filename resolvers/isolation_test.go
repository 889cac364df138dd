package resolvers_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// selections renders, for every record type, its id and every edge one level deep.
func selections(s *ast.Schema) map[string]string {
	rendered := map[string]string{}
	for _, d := range own(s) {
		if d.Kind != ast.Object || !slices.Contains(d.Interfaces, "Node") {
			continue
		}
		var b strings.Builder
		b.WriteString("id ")
		for _, f := range d.Fields {
			target := s.Types[f.Type.Name()]
			switch {
			case strings.HasSuffix(target.Name, "Connection"):
				fmt.Fprintf(&b, "%s(first: 3) { totalCount nodes { id } } ", f.Name)
			case slices.Contains(target.Interfaces, "Node"):
				fmt.Fprintf(&b, "%s { id } ", f.Name)
			}
		}
		rendered[d.Name] = b.String()
	}
	return rendered
}

// idsOf returns every row id of a tenant, read past the walls, by table.
func idsOf(t *testing.T, url, tenant string) map[string][]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	ids := map[string][]string{}
	for table, kind := range db.Tables() {
		if kind != db.TenantTable || table == "counter" || table == "loyalty_transaction_link" {
			continue
		}
		rows, err := conn.Query(t.Context(), "SELECT r.id::text FROM "+table+" r JOIN tenant t ON t.id = r.tenant_id WHERE t.code = $1", tenant)
		require.NoError(t, err)
		ids[table], err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
	}
	return ids
}

// prefixes of global ids by table.
var prefixes = map[string]string{
	"account": "acc", "billing_terms": "btr", "contact": "con", "contact_point": "cpt", "contact_role": "cor", "customer": "cus",
	"identifier": "idn", "loyalty_account": "loy", "loyalty_transaction": "ltx", "party": "pty", "role": "rol", "vehicle": "veh",
	"vehicle_association": "vas", "warranty": "war",
}

func TestNothingOfAnotherTenant(t *testing.T) {
	t.Parallel()
	url := crmtest.Seeded(t)
	b := setupAt(t, url)
	theirs := idsOf(t, url, "demo")
	foreign := map[string]bool{}
	for _, ids := range theirs {
		for _, id := range ids {
			foreign[id] = true
		}
	}
	s := schema()
	below := selections(s)
	clean := func(t *testing.T, a answer) {
		t.Helper()
		require.Empty(t, a.Errors)
		for _, id := range uuids.FindAllString(string(a.Data), -1) {
			require.False(t, foreign[id], "%s belongs to the other tenant", id)
		}
	}

	for _, f := range s.Query.Fields {
		typeName, isList := strings.CutSuffix(f.Type.Name(), "Connection")
		if _, known := below[typeName]; !known || !isList {
			continue
		}
		t.Run("every page of "+f.Name+" and every edge below it", func(t *testing.T) {
			t.Parallel()
			document := fmt.Sprintf("query ($after: String) { %s(first: 100, after: $after) { totalCount nodes { %s } pageInfo { hasNextPage endCursor } } }", f.Name, below[typeName])
			var seen int
			for after := any(nil); ; {
				got := b.as(t, "acme", "admin", document, map[string]any{"after": after})
				clean(t, got)
				var page map[string]struct {
					TotalCount int
					Nodes      []any
					PageInfo   struct {
						HasNextPage bool
						EndCursor   string
					}
				}
				got.into(t, &page)
				seen += len(page[f.Name].Nodes)
				if !page[f.Name].PageInfo.HasNextPage {
					require.Equal(t, page[f.Name].TotalCount, seen)
					break
				}
				after = page[f.Name].PageInfo.EndCursor
			}
			require.NotZero(t, seen)
		})
	}

	t.Run("node and nodes find none of its ids", func(t *testing.T) {
		t.Parallel()
		for table, prefix := range prefixes {
			require.NotEmpty(t, theirs[table], table)
			var ids []string
			for _, id := range theirs[table][:min(100, len(theirs[table]))] {
				ids = append(ids, prefix+"_"+id)
			}
			got := b.as(t, "acme", "admin", "query ($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id } node(id: $id) { id } }",
				map[string]any{"ids": ids, "id": ids[0]})
			require.Empty(t, got.Errors)
			require.NotContains(t, string(got.Data), "id", table)
		}
	})

	t.Run("no lookup finds its ids", func(t *testing.T) {
		t.Parallel()
		for table, field := range map[string]string{
			"customer": "customer", "party": "party", "contact": "contact", "role": "role", "contact_role": "contactRole", "vehicle": "vehicle",
			"loyalty_account": "loyaltyAccount", "loyalty_transaction": "loyaltyTransaction", "warranty": "warranty",
		} {
			got := b.as(t, "acme", "admin", fmt.Sprintf("query ($id: ID!) { found: %s(by: {id: $id}) { id } }", field),
				map[string]any{"id": prefixes[table] + "_" + theirs[table][0]})
			require.Empty(t, got.Errors)
			require.JSONEq(t, `{"found": null}`, string(got.Data), field)
		}
	})

	t.Run("the same number, code, e-mail or VIN finds its own record", func(t *testing.T) {
		t.Parallel()
		document := `{ customer(by: {number: 1001}) { id party { id displayName } } customers(where: {number: {eq: 1001}}) { nodes { id } }
			byEmail: customers(where: {email: {startsWith: "a"}}, first: 100) { nodes { id } } vehicle(by: {vin: "WVWZZZ1JZXW000001"}) { id owner { id } } }`
		got := b.as(t, "acme", "admin", document, nil)
		clean(t, got)
		require.NotContains(t, string(got.Data), "Amelia Hartmann")
		require.NotContains(t, string(got.Data), `"customer":null`)
	})

	t.Run("search finds nothing of it", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"amelia hartmann", "northwind", "WVWZZZ1JZXW000001", "amelia.hartmann@example.com", "CUST-001001"} {
			got := b.as(t, "acme", "admin", `query ($t: String!) { search(text: $t, first: 50) { node { ... on Node { id } ... on Party { displayName } } matchedText } }`,
				map[string]any{"t": text})
			clean(t, got)
			require.NotContains(t, string(got.Data), "Northwind Logistics")
		}
	})

	t.Run("a filter by its ids matches nothing", func(t *testing.T) {
		t.Parallel()
		got := b.as(t, "acme", "admin", "query ($p: ID!, $c: ID!) { contacts(where: {organization: {eq: $p}}) { totalCount } warranties(where: {customer: {eq: $c}}) { totalCount } }",
			map[string]any{"p": "pty_" + theirs["contact"][0], "c": "cus_" + theirs["customer"][0]})
		require.Empty(t, got.Errors)
		require.JSONEq(t, `{"contacts": {"totalCount": 0}, "warranties": {"totalCount": 0}}`, string(got.Data))
	})

	t.Run("its cursors are refused", func(t *testing.T) {
		t.Parallel()
		var page struct {
			Customers struct{ PageInfo struct{ EndCursor string } }
		}
		b.as(t, "demo", "admin", "{ customers(first: 1) { pageInfo { endCursor } } }", nil).into(t, &page)
		got := b.as(t, "acme", "admin", "query ($c: String) { customers(after: $c) { nodes { id } } }", map[string]any{"c": page.Customers.PageInfo.EndCursor})
		require.Equal(t, []any{"BAD_USER_INPUT"}, got.codes())
	})
}

// TestPermissions takes each permission away in turn: the fields that need it are null
// with FORBIDDEN, the others stay.
func TestPermissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		lacks          crm.Permission
		document, want string
	}{
		"a root list": {"crm:party:view", "{ customers(first: 1) { nodes { id } } roles(first: 1) { totalCount } }", `{"customers":null,"roles":{"totalCount":13}}`},
		"a lookup":    {"crm:vehicle:view", "{ vehicle(by: {number: 1}) { id } }", `{"vehicle":null}`},
		"a node":      {"crm:warranty:view", `{ node(id: "war_018f0000-0000-7000-8000-000000000000") { id } }`, `{"node":null}`},
		"an edge": {"crm:loyalty:view", "{ customer(by: {number: 1001}) { number loyaltyAccount { id } } }",
			`{"customer":{"number":1001,"loyaltyAccount":null}}`},
		"a paged edge": {"crm:warranty:view", "{ customer(by: {number: 1001}) { number warranties(first: 1) { nodes { id } } } }",
			`{"customer":{"number":1001,"warranties":null}}`},
		"who owns a vehicle": {"crm:vehicle_party_association:view", `{ vehicle(by: {vin: "WVWZZZ1JZXW000001"}) { make owner { id } } }`,
			`{"vehicle":{"make":"Volkswagen","owner":null}}`},
		"a search for a kind by name": {"crm:vehicle:search", `{ search(text: "golf", types: [VEHICLE]) { score } }`, `{"search":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, statements := crmtest.With(t, b.store, "demo", allBut(t, c.lacks)...)
			got := b.run(ctx, t, statements, c.document, nil)
			require.Equal(t, []any{"FORBIDDEN"}, got.codes())
			require.JSONEq(t, c.want, string(got.Data))
		})
	}
	t.Run("a search leaves out what may not be searched", func(t *testing.T) {
		t.Parallel()
		ctx, statements := crmtest.With(t, b.store, "demo", allBut(t, "crm:vehicle:search")...)
		got := b.run(ctx, t, statements, `{ search(text: "golf") { node { __typename } } }`, nil)
		require.Empty(t, got.Errors)
		require.NotContains(t, string(got.Data), "Vehicle")
	})
	t.Run("nobody sees nothing", func(t *testing.T) {
		t.Parallel()
		ctx, statements := db.CountStatements(t.Context())
		got := b.run(b.store.Begin(ctx), t, statements, "{ customers { nodes { id } } }", nil)
		require.Equal(t, []any{"UNAUTHENTICATED"}, got.codes())
		require.Zero(t, got.Statements)
	})
}

// allBut are the admin's permissions but one.
func allBut(t *testing.T, lacks crm.Permission) []crm.Permission {
	t.Helper()
	all, ok := crm.RolePermissions("admin")
	require.True(t, ok)
	require.Contains(t, all, lacks)
	return slices.DeleteFunc(all, func(p crm.Permission) bool { return p == lacks })
}
