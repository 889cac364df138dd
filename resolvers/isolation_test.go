package resolvers_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

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
	conn := crmtest.Connect(t, url)
	ids := map[string][]string{}
	for table, kind := range db.Tables() {
		var hasID bool
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'id')", table).Scan(&hasID))
		if kind != db.TenantTable || !hasID {
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
	"vehicle_association": "vas", "gift_card": "gft", "gift_card_transaction": "gtx", "warranty": "war", "event": "evt", "tenant_settings": "set",
	"credit_transaction": "ctx",
}

// lived changes something in both tenants, so that both have a history and settings.
func (b *bundle) lived(t *testing.T) {
	t.Helper()
	for _, tenant := range []string{"demo", "acme"} {
		got := b.as(t, tenant, "admin", `mutation { tenantSettingsUpdate(input: {phoneUnique: false}, ifRevision: 0) { userErrors { message } }
			partyCreateIndividual(input: {lastName: "Newcomer"}) { userErrors { message } } }`, nil)
		require.Empty(t, got.Errors)
		require.JSONEq(t, `{"tenantSettingsUpdate": {"userErrors": []}, "partyCreateIndividual": {"userErrors": []}}`, string(got.Data))
	}
}

func TestNothingOfAnotherTenant(t *testing.T) {
	t.Parallel()
	url := crmtest.Seeded(t)
	b := setupAt(t, url)
	b.lived(t)
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
			"loyalty_account": "loyaltyAccount", "loyalty_transaction": "loyaltyTransaction", "warranty": "warranty", "event": "event",
			"gift_card": "giftCard",
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
			byEmail: customers(where: {email: {startsWith: "a"}}, first: 100) { nodes { id } } vehicle(by: {vin: "WVWZZZ1JZXW000001"}) { id owner { id } }
			giftCard(by: {code: "DEMO-GIFT-2026"}) { id customer { id } transactions(where: {type: {eq: ISSUE}}) { nodes { id } } } }`
		got := b.as(t, "acme", "admin", document, nil)
		clean(t, got)
		require.NotContains(t, string(got.Data), "Amelia Hartmann")
		require.NotContains(t, string(got.Data), `"customer":null`)
		require.NotContains(t, string(got.Data), `"giftCard":null`)
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

// TestEveryStatementNamesTheTenant takes the second wall away: with row level security off and
// a tenant beside it that has the same ids, codes and numbers, every answer stays as it was.
func TestEveryStatementNamesTheTenant(t *testing.T) {
	t.Parallel()
	url := crmtest.Seeded(t)
	b := setupAt(t, url)
	b.lived(t)
	conn := crmtest.Connect(t, url)
	dropWall(t, conn)
	s := schema()
	below := selections(s)
	var documents []string
	for _, f := range s.Query.Fields {
		if name, isList := strings.CutSuffix(f.Type.Name(), "Connection"); isList && below[name] != "" {
			documents = append(documents, fmt.Sprintf("{ %s(first: 40) { totalCount nodes { %s } } }", f.Name, below[name]))
		}
	}
	documents = append(documents,
		`{ customer(by: {number: 1001}) { id } byCode: customer(by: {code: "CUST-001001"}) { id } byMail: customer(by: {email: "amelia.hartmann@example.com"}) { id }
			party(by: {number: 5001}) { id account { id billingTerms { id } creditTransactions { totalCount nodes { id account { id } } } } identifiers { party { id } } } vehicle(by: {vin: "WVWZZZ1JZXW000001"}) { id }
			giftCard(by: {code: "DEMO-GIFT-2026"}) { id transactions(where: {type: {eq: ISSUE}}) { totalCount nodes { id } } } }`,
		`{ contacts(where: {role: {eq: "BILLING"}}) { totalCount } customers(where: {name: {startsWith: "a"}, email: {isNull: false}}) { totalCount } }`,
		`{ search(text: "amelia hartmann", first: 50) { matchedText node { ... on Node { id } } } vehicles: search(text: "golf", types: [VEHICLE], first: 50) { node { ... on Node { id } } } }`,
		`{ partySearch(input: {name: "er"}, first: 40) { totalCount nodes { id } } byMail: partySearch(input: {email: "amelia"}) { nodes { id } } }`,
		`{ vehicleSearch(input: {q: "wvw", enableContains: true}, first: 40) { totalCount edges { matchType node { id } } } }`)
	ask := func() []string {
		var answers []string
		for _, d := range documents {
			got := b.admin(t, d, nil)
			require.Empty(t, got.Errors, d)
			answers = append(answers, string(got.Data))
		}
		return answers
	}
	before := ask()
	twin(t, conn)
	require.Equal(t, before, ask())
}

// dropWall turns row level security off.
func dropWall(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for table, kind := range db.Tables() {
		if kind == db.TenantTable {
			_, err := conn.Exec(t.Context(), "ALTER TABLE "+table+" DISABLE ROW LEVEL SECURITY")
			require.NoError(t, err, table)
		}
	}
}

// twin makes a tenant with the same rows as the demo tenant, ids included, but for names.
func twin(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	exec := func(sql string) {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	exec("INSERT INTO tenant (id, code, name) VALUES (gen_random_uuid(), 'twin', 'Twin')")
	exec("SET session_replication_role = replica") // tables in any order
	for table, kind := range db.Tables() {
		if kind != db.TenantTable || table == "tenant_settings" {
			continue
		}
		var columns string
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
			WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'tenant_id' AND attidentity = '' AND attgenerated = ''`, table).Scan(&columns))
		exec(fmt.Sprintf("INSERT INTO %[1]s (tenant_id, %[2]s) SELECT (SELECT id FROM tenant WHERE code = 'twin'), %[2]s FROM %[1]s WHERE tenant_id = (SELECT id FROM tenant WHERE code = 'demo')", table, columns))
	}
	exec("SET session_replication_role = DEFAULT")
	exec("UPDATE party SET display_name = 'TWIN' WHERE tenant_id = (SELECT id FROM tenant WHERE code = 'twin')")
}

// TestEveryWriteNamesTheTenant does the same for what changes something: with the second wall
// down, every mutation answers as it does with it, and the twin stays as it was.
func TestEveryWriteNamesTheTenant(t *testing.T) {
	t.Parallel()
	for name, path := range documents(t, "testdata/mutations/*.graphql") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := crmtest.Seeded(t)
			conn := crmtest.Connect(t, url)
			dropWall(t, conn)
			twin(t, conn)
			before := rowsOf(t, conn, "twin")
			sameAsGolden(t, path, setupAt(t, url).pretty(t, path))
			require.Equal(t, before, rowsOf(t, conn, "twin"))
		})
	}
}

// rowsOf tells the states of a tenant's tables apart: how many rows, and which.
func rowsOf(t *testing.T, conn *pgx.Conn, tenant string) map[string]string {
	t.Helper()
	state := map[string]string{}
	for table, kind := range db.Tables() {
		if kind != db.TenantTable {
			continue
		}
		var rows string
		require.NoError(t, conn.QueryRow(t.Context(), fmt.Sprintf(`SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0)
			FROM %s t WHERE tenant_id = (SELECT id FROM tenant WHERE code = $1)`, table), tenant).Scan(&rows))
		state[table] = rows
	}
	return state
}
