package crm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// customer returns the global id of the demo tenant's customer with a number.
func (w *world) customer(t *testing.T, number int) string {
	t.Helper()
	return "cus_" + askOne[string](t, w, "SELECT id::text FROM customer WHERE "+inDemo+" AND number = $1", number)
}

// newcomer makes a customer.
func (w *world) newcomer(t *testing.T, in crm.CustomerCreate) *crm.Customer {
	t.Helper()
	made, err := w.store.CreateCustomer(w.admin(t), in, crm.Write{})
	require.NoError(t, err)
	return made
}

// person makes a customer with a name that nobody else has.
func (w *world) person(t *testing.T, lastName string) *crm.Customer {
	t.Helper()
	return w.newcomer(t, crm.CustomerCreate{LastName: &lastName})
}

// firm makes a customer that is an organisation.
func (w *world) firm(t *testing.T, legalName string) *crm.Customer {
	t.Helper()
	return w.newcomer(t, crm.CustomerCreate{Kind: new(crm.Organization), LegalName: &legalName})
}

// partyOf is the global id of the party behind a customer.
func partyOf(c *crm.Customer) string { return crm.Parties.GlobalID(c.ID) }

// merge merges customers into the first of them.
func (w *world) merge(t *testing.T, into *crm.Customer, losers ...*crm.Customer) *crm.MergeResult {
	t.Helper()
	result, err := w.store.MergeParties(w.admin(t), partyOf(into), mergeOf(losers...), crm.Write{})
	require.NoError(t, err)
	return result
}

func mergeOf(losers ...*crm.Customer) crm.MergeInput {
	in := crm.MergeInput{Justification: "the same one twice"}
	for _, l := range losers {
		in.LoserIDs = append(in.LoserIDs, partyOf(l))
	}
	return in
}

// identifiers tells what leads to a party: KIND system value, and whether claimed and an alias.
func (w *world) identifiers(t *testing.T, party uuid.UUID) []string {
	t.Helper()
	return ask[string](t, w, `SELECT concat_ws(' ', kind, nullif(system, ''), value, CASE WHEN is_claim THEN 'claimed' END, CASE WHEN is_alias THEN 'alias' END)
		FROM identifier WHERE party_id = $1 ORDER BY kind, system, value`, party)
}

// points tells how a party is reached.
func (w *world) points(t *testing.T, party uuid.UUID) []string {
	t.Helper()
	return ask[string](t, w, `SELECT concat_ws(' ', kind, value, CASE WHEN is_primary THEN 'primary' END)
		FROM contact_point WHERE party_id = $1 ORDER BY kind, is_primary DESC, value`, party)
}

// addresses tells where a party can be written to.
func (w *world) addresses(t *testing.T, party uuid.UUID) []string {
	t.Helper()
	return ask[string](t, w, `SELECT concat_ws(', ', l.line1, l.city, l.postal_code, l.country_code) FROM party_location x
		JOIN location l ON l.tenant_id = x.tenant_id AND l.id = x.location_id WHERE x.party_id = $1 ORDER BY 1`, party)
}

// revisions lists those of the faces of a party.
func (w *world) revisions(t *testing.T, party uuid.UUID) []int64 {
	t.Helper()
	return ask[int64](t, w, `SELECT revision FROM party WHERE id = $1 UNION ALL SELECT revision FROM customer WHERE id = $1
		UNION ALL SELECT revision FROM account WHERE id = $1`, party)
}

func quay() *crm.Address {
	return &crm.Address{Line1: "12 Quay Street", City: "Seattle", PostalCode: new("98101"), CountryCode: "US"}
}

// owns gives a party a vehicle, since a year, and returns its id.
func (w *world) owns(t *testing.T, party uuid.UUID, kind crm.AssociationKind) string {
	t.Helper()
	id := askOne[string](t, w, `INSERT INTO vehicle (tenant_id, id, number, search_text)
		SELECT tenant_id, gen_random_uuid(), (SELECT max(number) + 1 FROM vehicle), 'x' FROM party WHERE id = $1 RETURNING id::text`, party)
	w.associate(t, id, party, kind)
	return id
}

// associate ties a party to a vehicle, since a year.
func (w *world) associate(t *testing.T, vehicle string, party uuid.UUID, kind crm.AssociationKind) {
	t.Helper()
	w.do(t, `INSERT INTO vehicle_association (tenant_id, id, vehicle_id, party_id, kind, effective_from)
		SELECT tenant_id, gen_random_uuid(), $1::uuid, id, $3, $4 FROM party WHERE id = $2`, vehicle, party, string(kind), crmtest.Today().AddDate(-1, 0, 0))
}

// earned books points of a customer as one lot.
func (w *world) earned(t *testing.T, customer uuid.UUID, points int, available time.Time, expires *time.Time) {
	t.Helper()
	w.do(t, `INSERT INTO loyalty_account (tenant_id, id, balance, lifetime_earned) SELECT tenant_id, id, $2, $2 FROM customer WHERE id = $1
		ON CONFLICT (tenant_id, id) DO UPDATE SET balance = loyalty_account.balance + $2, lifetime_earned = loyalty_account.lifetime_earned + $2,
			revision = loyalty_account.revision + 1`, customer, points)
	w.do(t, `WITH entry AS (INSERT INTO loyalty_transaction (tenant_id, id, account_id, sequence, type, points, balance_after, occurred_at)
		SELECT tenant_id, $3, id, revision, 'EARN', $2, balance, $4 FROM loyalty_account WHERE id = $1 RETURNING *)
		INSERT INTO loyalty_lot (tenant_id, id, account_id, transaction_id, points, remaining, available_at, expires_at)
		SELECT tenant_id, id, account_id, id, points, points, $4, $5 FROM entry`, customer, points, uuid.Must(uuid.NewV7()), available, expires)
}

// warranted registers a warranty to a customer.
func (w *world) warranted(t *testing.T, customer uuid.UUID, serial string) {
	t.Helper()
	w.do(t, `INSERT INTO warranty (tenant_id, id, customer_id, serial_number, starts_at) SELECT tenant_id, gen_random_uuid(), id, $2, $3 FROM customer WHERE id = $1`,
		customer, serial, crmtest.Today())
}

// engaged makes a person a contact of an organisation. A role that ends in * is held as the
// primary one.
func (w *world) engaged(t *testing.T, organization, person uuid.UUID, roles ...string) string {
	t.Helper()
	contact := askOne[string](t, w, `INSERT INTO contact (tenant_id, id, key, organization_id, person_id)
		SELECT tenant_id, gen_random_uuid(), gen_random_uuid()::text, id, $2 FROM party WHERE id = $1 RETURNING id::text`, organization, person)
	for _, role := range roles {
		code, primary := strings.CutSuffix(role, "*")
		w.do(t, `INSERT INTO contact_role (tenant_id, id, contact_id, organization_id, role_id, is_primary) SELECT k.tenant_id, gen_random_uuid(), k.id, k.organization_id, r.id, $3
			FROM contact k JOIN role r ON r.tenant_id = k.tenant_id AND r.code = $2 WHERE k.id = $1::uuid`, contact, code, primary)
	}
	return contact
}

// engagements tells who is engaged at an organisation, as what: name: ROLE*, ROLE.
func (w *world) engagements(t *testing.T, organization uuid.UUID) []string {
	t.Helper()
	return ask[string](t, w, `SELECT p.display_name || CASE k.status WHEN 'ACTIVE' THEN '' ELSE ' (ended)' END || ': ' ||
		coalesce((SELECT string_agg(r.code || CASE WHEN h.is_primary THEN '*' ELSE '' END, ', ' ORDER BY r.code) FROM contact_role h
			JOIN role r ON r.tenant_id = h.tenant_id AND r.id = h.role_id
			WHERE h.tenant_id = k.tenant_id AND h.contact_id = k.id AND h.organization_id = k.organization_id AND h.status = 'ACTIVE'), '')
		FROM contact k JOIN party p ON p.tenant_id = k.tenant_id AND p.id = k.person_id WHERE k.organization_id = $1 ORDER BY 1`, organization)
}
