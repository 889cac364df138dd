package durion_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"crmgraph/crm"
	"crmgraph/internal/auth"
	"crmgraph/internal/crmtest"
	"crmgraph/internal/obs"
	"crmgraph/rest"
	"crmgraph/rest/durion"
)

// world is the contract served over HTTP from a database of the test's own, which holds the
// records of the contract's examples (Durion 6).
type world struct {
	store   *crm.Store
	owner   *bun.DB // past the walls, for what no door shows
	tenant  uuid.UUID
	url     string       // of the server
	handler http.Handler // behind it
	keys    *auth.Keys
}

func newWorld(t testing.TB, change ...func(*durion.Options)) *world {
	t.Helper()
	database := crmtest.Migrated(t)
	config, err := pgx.ParseConfig(database)
	require.NoError(t, err)
	owner := bun.NewDB(stdlib.OpenDB(*config), pgdialect.New())
	t.Cleanup(func() { _ = owner.Close() })
	w := &world{store: crmtest.Store(t, database), owner: owner, tenant: uuid.MustParse("0190f3a2-0000-7a01-8b01-000000000000")}
	began := time.Now()
	w.store.Now = func() time.Time { return crmtest.Today().Add(time.Since(began)) }
	w.furnish(t)
	w.keys, err = auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	authenticator, err := auth.New(t.Context(), auth.Config{Keys: w.keys, Tenants: w.store.TenantByCode, Now: time.Now})
	require.NoError(t, err)
	options := durion.Options{Options: rest.Options{
		Store: w.store, CorrelationID: obs.CorrelationID, Timeout: 10 * time.Second, Log: slog.New(slog.DiscardHandler),
		Authenticate: func(r *http.Request) (*crm.Principal, error) {
			p, _, err := authenticator.Request(r)
			return p, err
		},
		Observe: func(_ context.Context, c rest.Call) {
			if c.Status >= http.StatusInternalServerError && c.Status != http.StatusNotImplemented {
				t.Logf("%s answered %d: %v (%v)", c.Operation, c.Status, c.Failure, unwrapped(c.Failure))
			}
		},
	}}
	for _, f := range change {
		f(&options)
	}
	w.handler = obs.Correlate(durion.New(options))
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func unwrapped(err error) error {
	if e, ok := err.(interface{ Unwrap() error }); ok {
		return e.Unwrap()
	}
	return nil
}

// The records of the examples, by name.
var named = map[string]string{
	"P1": "0190f3a2-1111-7a01-8b01-000000000001", "P2": "0190f3a2-1111-7a01-8b01-000000000002", "P3": "0190f3a2-1111-7a01-8b01-000000000003",
	"C41": "0190f3a2-1111-7a01-8b01-000000000041", "C42": "0190f3a2-1111-7a01-8b01-000000000042",
	"K1": "0190f3a2-2222-7b01-8b01-000000000001", "K2": "0190f3a2-2222-7b01-8b01-000000000002", "K3": "0190f3a2-2222-7b01-8b01-000000000003",
	"K4": "0190f3a2-2222-7b01-8b01-000000000004", // a contact of P3 who has a telephone only
	"V1": "0190f3a2-3333-7c01-8b01-000000000001", "V2": "0190f3a2-3333-7c01-8b01-000000000002", "V3": "0190f3a2-3333-7c01-8b01-000000000003",
	"R7": "0190f3a2-3333-7c01-8b01-000000000007",
}

var nameOfRecord = regexp.MustCompile(`\b(P[123]|C4[12]|K[1234]|V[123]|R7)\b`)

// fill puts the ids of the examples' records in place of their names.
func fill(text string) string {
	return nameOfRecord.ReplaceAllStringFunc(text, func(name string) string { return named[name] })
}

func insert[T any](t testing.TB, w *world, rows ...*T) {
	t.Helper()
	for _, row := range rows {
		_, err := w.owner.NewInsert().Model(row).Exec(t.Context())
		require.NoError(t, err)
	}
}

func (w *world) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := w.owner.ExecContext(t.Context(), sql, args...)
	require.NoError(t, err)
}

func (w *world) row(name string) crm.Row {
	return crm.Row{TenantID: w.tenant, ID: uuid.MustParse(named[name])}
}

func (w *world) newRow() crm.Row { return crm.Row{TenantID: w.tenant, ID: uuid.Must(uuid.NewV7())} }

// furnish makes the tenant with the records of the examples.
func (w *world) furnish(t testing.TB) {
	t.Helper()
	w.exec(t, "INSERT INTO tenant (id, code, name) VALUES (?, 'legacy', 'Legacy')", w.tenant)
	day := crmtest.Today().AddDate(0, -6, 0)
	for i, role := range [][2]string{
		{"BILLING", "Billing Contact"}, {"APPROVER", "Approver"}, {"DRIVER", "Driver"}, {"PAYMENT_AUTHORIZER", "Payment Authorizer"},
		{"OPERATIONS", "Operations"}, {"PRIMARY_BUSINESS_CONTACT", "Primary Business Contact"}, {"TECHNICAL", "Technical"},
	} {
		insert(t, w, &crm.Role{Row: w.newRow(), Code: role[0], Label: role[1], Position: i + 1, Status: crm.RoleActive, CreatedAt: day, UpdatedAt: day, Revision: 1})
	}
	terms := map[string]*uuid.UUID{}
	for code, days := range map[string]int{"BT-NET30": 30, "BT-NET60": 60, "BT-COD": 0} {
		row := &crm.BillingTerms{
			Row: w.newRow(), Code: code, Label: code, NetDays: days, IsDefault: code == "BT-NET30", Status: crm.BillingTermsActive,
			CreatedAt: day, UpdatedAt: day, Revision: 1,
		}
		insert(t, w, row)
		terms[code] = &row.ID
	}
	w.firm(t, "P1", "Harbor Freightlines Inc", terms["BT-NET30"], crm.DeliverByEmail, func(p *crm.Party) { p.TaxID = new("84-2219075") })
	w.firm(t, "P2", "Harbor Freight Lines West LLC", nil, crm.DeliverByEmail)
	w.firm(t, "P3", "Cedar Valley School District", nil, crm.DeliverByPortal)
	w.external(t, "P1", "erp", "HF-0042")
	w.reach(t, "P1", crm.PointPhone, "+1 206 555 0147")
	for _, c := range []struct {
		name, first, last string
		number            int64
	}{{"C41", "Marisol", "Etxeberria", 41}, {"C42", "Tobias", "Lindqvist", 42}} {
		p := w.person(t, c.name, c.first, c.last)
		code := fmt.Sprintf("CUST-%06d", c.number)
		insert(t, w, &crm.Customer{
			Row: p.Row, Number: c.number, Code: code, Type: crm.CustomerPrivate, Status: crm.CustomerActive, Tags: []string{},
			Metadata: json.RawMessage("{}"), CreatedAt: p.CreatedAt, UpdatedAt: p.CreatedAt, Revision: 1,
		})
		w.identifier(t, c.name, crm.IdentifierCode, "", code, true)
	}
	for _, k := range []struct {
		name, first, last, firm, email, phone, role string
		primary                                     bool
		revision                                    int64
	}{
		{"K1", "Priya", "Raman", "P1", "priya@harborfl.example", "", "BILLING", true, 3},
		{"K2", "Owen", "Castellano", "P1", "", "+1 206 555 0150", "", false, 1},
		{"K3", "Lena", "Fischer", "P1", "lena@harborfl.example", "", "APPROVER", false, 1},
		{"K4", "Hugo", "Baptiste", "P3", "", "+1 509 555 0101", "", false, 1},
	} {
		p := w.person(t, k.name, k.first, k.last)
		if k.email != "" {
			w.reach(t, k.name, crm.PointEmail, k.email)
		}
		if k.phone != "" {
			w.reach(t, k.name, crm.PointPhone, k.phone)
		}
		contact := &crm.Contact{
			Row: w.newRow(), OrganizationID: w.row(k.firm).ID, PersonID: p.ID, Status: crm.ContactActive,
			CreatedAt: p.CreatedAt, UpdatedAt: p.CreatedAt, Revision: k.revision,
		}
		contact.Key = contact.ID.String()
		insert(t, w, contact)
		if k.role != "" {
			w.exec(t, `INSERT INTO contact_role (tenant_id, id, contact_id, organization_id, role_id, is_primary, status, created_at, updated_at, revision)
				SELECT tenant_id, ?, ?, ?, id, ?, 'ACTIVE', created_at, created_at, 1 FROM role WHERE code = ?`,
				w.newRow().ID, contact.ID, contact.OrganizationID, k.primary, k.role)
		}
	}
	w.vehicle(t, "V1", 1, "1FTFW1E53PFA10001", "T-101", "P1")
	w.vehicle(t, "V2", 2, "3C6UR5DL0NG200301", "W-1", "P2")
	w.vehicle(t, "V3", 3, "4T1B11HK7KU700123", "", "C41")
	w.vehicle(t, "R7", 7, "1XPBDP9X4FD300999", "", "", func(v *crm.Vehicle) {
		v.Make, v.Model, v.Year = new("Peterbilt"), new("579"), new(2015)
	})
	for name, last := range map[string]int64{"party": 100, "customer": 42, "vehicle": 7} {
		w.exec(t, "INSERT INTO counter (tenant_id, name, last_value) VALUES (?, ?, ?)", w.tenant, name, last)
	}
}

// party makes a party; those of the examples are made a day apart, in the order of their ids.
func (w *world) party(t testing.TB, name string, p *crm.Party) *crm.Party {
	t.Helper()
	p.Row, p.Status, p.Revision, p.Restrictions = w.row(name), crm.PartyActive, 1, []string{}
	n, err := fmt.Sscanf(named[name][len(named[name])-2:], "%d", &p.Number)
	require.True(t, n == 1 && err == nil)
	if strings.HasPrefix(name, "K") {
		p.Number += 10
	}
	p.Key = p.ID.String()
	p.CreatedAt = crmtest.Today().AddDate(0, -5, int(p.Number))
	p.UpdatedAt = p.CreatedAt
	p.Derive()
	insert(t, w, p)
	return p
}

func (w *world) firm(t testing.TB, name, legalName string, terms *uuid.UUID, delivery crm.InvoiceDelivery, change ...func(*crm.Party)) {
	t.Helper()
	p := &crm.Party{Kind: crm.Organization, LegalName: &legalName}
	for _, f := range change {
		f(p)
	}
	w.party(t, name, p)
	insert(t, w, &crm.Account{
		Row: p.Row, Code: "ACC-" + name, Status: crm.AccountActive, BillingTermsID: terms, InvoiceDelivery: delivery,
		CreatedAt: p.CreatedAt, UpdatedAt: p.CreatedAt, Revision: 1,
	})
}

func (w *world) person(t testing.TB, name, first, last string) *crm.Party {
	t.Helper()
	return w.party(t, name, &crm.Party{Kind: crm.Individual, FirstName: &first, LastName: &last})
}

func (w *world) identifier(t testing.TB, name string, kind crm.IdentifierKind, system, value string, claim bool) {
	t.Helper()
	i := &crm.Identifier{
		Row: w.newRow(), PartyID: w.row(name).ID, Kind: kind, SystemName: system, Value: value, IsClaim: claim, CreatedAt: crmtest.Today().AddDate(0, -5, 0),
	}
	i.Derive()
	insert(t, w, i)
}

func (w *world) external(t testing.TB, name, system, value string) {
	t.Helper()
	w.identifier(t, name, crm.IdentifierExternal, system, value, false)
}

// reach gives a party its primary contact point of a kind.
func (w *world) reach(t testing.TB, name string, kind crm.ContactPointKind, value string) {
	t.Helper()
	made := crmtest.Today().AddDate(0, -5, 0)
	o := &crm.ContactPoint{
		Row: w.newRow(), PartyID: w.row(name).ID, Kind: kind, Label: crm.PointWork, Value: value, IsPrimary: true, CreatedAt: made, UpdatedAt: made, Revision: 1,
	}
	o.Derive()
	insert(t, w, o)
	w.identifier(t, name, crm.IdentifierKind(kind), "", value, false)
}

func (w *world) vehicle(t testing.TB, name string, number int64, vin, unit, owner string, change ...func(*crm.Vehicle)) {
	t.Helper()
	made := crmtest.Today().AddDate(0, -4, 0)
	v := &crm.Vehicle{
		Row: w.row(name), Number: number, VINNormalised: &vin, VINEntered: &vin, Status: crm.VehicleActive, CreatedAt: made, UpdatedAt: made, Revision: 1,
	}
	if unit != "" {
		v.UnitNumber = &unit
	}
	for _, f := range change {
		f(v)
	}
	v.Derive()
	insert(t, w, v)
	if owner != "" {
		insert(t, w, &crm.VehicleAssociation{Row: w.newRow(), VehicleID: v.ID, PartyID: w.row(owner).ID, Kind: crm.Owner, EffectiveFrom: made})
	}
}

// client sends requests with a token; its zero roles and permissions make it anonymous.
type client struct {
	w     *world
	token string
}

// as is a client with one of the contract's default roles: CSR, FLEET_MANAGER or ADMIN (Durion 1.7).
func (w *world) as(t testing.TB, role string) *client {
	t.Helper()
	return w.client(t, auth.Claims{Roles: []string{role}})
}

// holding is a client with exactly these permissions.
func (w *world) holding(t testing.TB, permissions ...crm.Permission) *client {
	t.Helper()
	claims := auth.Claims{Permissions: []string{"crm:nothing:view"}}
	for _, p := range permissions {
		claims.Permissions = append(claims.Permissions, string(p))
	}
	return w.client(t, claims)
}

func (w *world) client(t testing.TB, claims auth.Claims) *client {
	t.Helper()
	claims.Subject, claims.Tenant, claims.TTL = "tester", "legacy", time.Hour
	token, err := w.keys.Mint(claims)
	require.NoError(t, err)
	return &client{w, token}
}

// admin is a client that may do everything.
func (w *world) admin(t testing.TB) *client {
	t.Helper()
	return w.as(t, "ADMIN")
}

// anonymous is a client without a token.
func (w *world) anonymous() *client { return &client{w: w} }

// reply is an answer.
type reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// call sends a request; names of the examples' records in it stand for their ids. body is JSON text,
// or a value to be encoded; nil for none. header is pairs of names and values.
func (c *client) call(t testing.TB, method, path string, body any, header ...string) reply {
	t.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(fill(b))
	default:
		encoded, err := json.Marshal(b)
		require.NoError(t, err)
		content = strings.NewReader(fill(string(encoded)))
	}
	request, err := http.NewRequestWithContext(t.Context(), method, c.w.url+fill(path), content)
	require.NoError(t, err)
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answered, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	r := reply{response.StatusCode, response.Header, answered}
	witness(t, request, r)
	return r
}

// into decodes a body.
func (r reply) into(t testing.TB, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(r.Body, v), "%d %s", r.Status, r.Body)
}

// object is the body as a map.
func (r reply) object(t testing.TB) map[string]any {
	t.Helper()
	var o map[string]any
	r.into(t, &o)
	return o
}

// expect asserts the status and the body: the same members and no others, "*" for any value that is
// not empty, names of the examples' records for their ids. want is empty for no body.
func (r reply) expect(t testing.TB, status int, want string) {
	t.Helper()
	require.Equal(t, status, r.Status, "%s", r.Body)
	if want == "" {
		require.Empty(t, r.Body)
		return
	}
	var wanted, got any
	require.NoError(t, json.Unmarshal([]byte(fill(want)), &wanted), want)
	r.into(t, &got)
	require.Equal(t, wanted, starred(wanted, got), "%s", r.Body)
}

// refused asserts an error: status, code, and the fields named, in order.
func (r reply) refused(t testing.TB, status int, code string, fields ...string) map[string]any {
	t.Helper()
	body := r.object(t)
	require.Equal(t, status, r.Status, "%s", r.Body)
	require.Equal(t, code, body["code"], "%s", r.Body)
	named := []string{}
	for _, e := range body["fieldErrors"].([]any) {
		named = append(named, e.(map[string]any)["field"].(string))
	}
	require.Equal(t, append([]string{}, fields...), named, "%s", r.Body)
	return body
}

// starred is what was got, with stars where they are wanted and something is there.
func starred(want, got any) any {
	switch w := want.(type) {
	case string:
		if w == "*" && got != nil && got != "" {
			return "*"
		}
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			same := make(map[string]any, len(g))
			for name, v := range g {
				same[name] = starred(w[name], v)
			}
			return same
		}
	case []any:
		if g, ok := got.([]any); ok {
			same := make([]any, len(g))
			for i, v := range g {
				same[i] = v
				if i < len(w) {
					same[i] = starred(w[i], v)
				}
			}
			return same
		}
	}
	return got
}
