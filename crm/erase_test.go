package crm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// about lists the tables that hold rows about some parties.
func (w *world) about(t *testing.T, parties ...uuid.UUID) []string {
	t.Helper()
	var found []string
	for _, column := range ask[string](t, w, `SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
		JOIN information_schema.tables b ON b.table_schema = c.table_schema AND b.table_name = c.table_name AND b.table_type = 'BASE TABLE'
		WHERE c.table_schema = 'public' AND c.data_type = 'uuid' AND c.table_name <> 'event' ORDER BY 1`) {
		table, name, _ := strings.Cut(column, ".")
		if askOne[int](t, w, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = ANY ($1)", table, name), parties) > 0 {
			found = append(found, column)
		}
	}
	return found
}

// G3N 3.4 and G28, with a warranty in place of the subscription.
func TestCustomerEraseCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.newcomer(t, crm.CustomerCreate{LastName: new("Counted"), Email: new("counted@example.org"), Phone: new("555-0188"), Addresses: []*crm.Address{quay()}})
	consent := func(kind string) {
		w.do(t, "INSERT INTO consent (tenant_id, id, party_id, type, state, captured_at) SELECT tenant_id, gen_random_uuid(), id, $2, 'GRANTED', $3 FROM party WHERE id = $1", c.ID, kind, crmtest.Today())
		w.do(t, "INSERT INTO consent_change (tenant_id, id, party_id, kind, name, after, actor, occurred_at) SELECT tenant_id, gen_random_uuid(), id, 'CONSENT', $2, 'GRANTED', 'x', $3 FROM party WHERE id = $1", c.ID, kind, crmtest.Today())
	}
	consent("marketing_email")
	consent("marketing_sms")
	for range 3 {
		w.earned(t, c.ID, 10, crmtest.Today(), nil)
	}
	w.warranted(t, c.ID, "SN-1")
	vehicle := w.owns(t, c.ID, crm.Owner)
	firm := w.firm(t, "Employer AG")
	w.engaged(t, firm.ID, c.ID, "BILLING*")
	acme := askOne[int](t, w, "SELECT count(*) FROM customer WHERE NOT "+inDemo)
	got, err := w.store.EraseCustomer(w.admin(t), c.NodeID(), crm.Write{IfRevision: new(int64(1)), Audit: &crm.Audit{Reason: new("privacy request")}})
	require.NoError(t, err)
	t.Run("1 customer, 4 lookups (e-mail, phone, code, status), 2 consents, 3 entries, 1 warranty", func(t *testing.T) {
		require.Equal(t, &crm.CustomerErasure{ID: c.NodeID(), ItemsDeleted: 11}, got)
	})
	t.Run("no row about it is left but its events", func(t *testing.T) {
		require.Empty(t, w.about(t, c.ID))
		require.Empty(t, ask[string](t, w, "SELECT id::text FROM location WHERE line1 = '12 Quay Street'"))
		require.Equal(t, []string{"CUSTOMER_CREATED", "CUSTOMER_ERASED"}, w.events(t, partyOf(c)))
		require.Equal(t, []string{`privacy request {"itemsDeleted": 11}`}, ask[string](t, w, "SELECT reason || ' ' || details::text FROM event WHERE record_id = $1 AND revision_before = 1 AND revision_after IS NULL", c.ID))
	})
	t.Run("the vehicle stays, without it in its history", func(t *testing.T) {
		require.Equal(t, []string{"ACTIVE 2"}, ask[string](t, w, "SELECT status || ' ' || revision FROM vehicle WHERE id = $1::uuid", vehicle))
		require.Empty(t, ask[string](t, w, "SELECT id::text FROM vehicle_association WHERE vehicle_id = $1::uuid", vehicle))
		require.Equal(t, []string{"VEHICLE_RELEASED"}, ask[string](t, w, "SELECT type FROM event WHERE record_id = $1::uuid", vehicle))
	})
	t.Run("the organisation that it was engaged at stays", func(t *testing.T) { require.Empty(t, w.engagements(t, firm.ID)) })
	t.Run("a second time it is not found", func(t *testing.T) {
		_, err := w.store.EraseCustomer(w.admin(t), c.NodeID(), crm.Write{})
		refused(t, err, crm.NotFound, "", "id")
	})
	t.Run("the e-mail address and the code are free at once, the number is not", func(t *testing.T) {
		again := w.newcomer(t, crm.CustomerCreate{Email: new("counted@example.org"), Code: &c.Code})
		require.Greater(t, again.Number, c.Number)
	})
	t.Run("preferences count as one", func(t *testing.T) {
		x := w.person(t, "Choosy")
		w.do(t, "INSERT INTO communication_preferences (tenant_id, id, update_source, updated_by) SELECT tenant_id, id, 'x', 'x' FROM party WHERE id = $1", x.ID)
		got, err := w.store.EraseCustomer(w.admin(t), x.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, 1+2+1, got.ItemsDeleted, "customer; code and status; preferences")
	})
	t.Run("other tenants keep theirs", func(t *testing.T) {
		require.Equal(t, acme, askOne[int](t, w, "SELECT count(*) FROM customer WHERE NOT "+inDemo))
	})
}

func TestCustomerErase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	erase := func(t *testing.T, c *crm.Customer) *crm.CustomerErasure {
		t.Helper()
		got, err := w.store.EraseCustomer(w.admin(t), c.NodeID(), crm.Write{})
		require.NoError(t, err)
		return got
	}
	t.Run("in every state", func(t *testing.T) {
		idle, gone, faceless := w.newcomer(t, crm.CustomerCreate{LastName: new("Idle"), Status: new(crm.CustomerInactive)}), w.person(t, "Gone"), w.person(t, "Faceless")
		_, err := w.store.DeactivateCustomer(w.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = w.store.AnonymizeCustomer(w.admin(t), faceless.NodeID(), crm.Write{})
		require.NoError(t, err)
		for _, x := range []*crm.Customer{idle, gone, faceless, w.firm(t, "Firm AG")} {
			erase(t, x)
			require.Empty(t, w.about(t, x.ID))
		}
	})
	t.Run("with its ledger of credit, entry by entry, once nothing is owed", func(t *testing.T) {
		x := w.owing(t, "Owing AG", "10.00 EUR", "4.00 EUR")
		_, err := w.store.EraseCustomer(w.admin(t), x.NodeID(), crm.Write{})
		require.Contains(t, refused(t, err, crm.Conflict, crm.InvalidState, "id").Message, "4.00 EUR are owed")
		_, err = w.release(t, accountOf(x.ID), "4.00 EUR", crm.Write{})
		require.NoError(t, err)
		require.Equal(t, 2+1+3, erase(t, x).ItemsDeleted, "customer and status; code; a limit, a purchase and a payment")
		require.Empty(t, w.about(t, x.ID))
	})
	t.Run("the debt that a survivor took over stays when the loser goes, and goes with the survivor", func(t *testing.T) {
		a, b := w.owing(t, "Took AG", "10.00 EUR", "4.00 EUR"), w.owing(t, "Gave AG", "10.00 EUR", "3.00 EUR")
		w.merge(t, a, b)
		require.Equal(t, 2+3, erase(t, b).ItemsDeleted, "customer and status; a limit, a purchase and the transfer")
		require.Equal(t, "7.00 EUR", w.account(t, accountOf(a.ID)).Credit().Used.String())
		w.sound(t)
		_, err := w.release(t, accountOf(a.ID), "7.00 EUR", crm.Write{})
		require.NoError(t, err)
		require.Equal(t, 2+2+4+1, erase(t, a).ItemsDeleted, "customer and status; two codes; a limit, a purchase, the transfer and the payment; the merge")
		require.Empty(t, w.about(t, a.ID, b.ID))
	})
	t.Run("one that was merged goes alone, and its survivor keeps what it got", func(t *testing.T) {
		a, b := w.person(t, "Keeps"), w.newcomer(t, crm.CustomerCreate{LastName: new("Ends"), Email: new("ends@example.org")})
		w.earned(t, b.ID, 10, crmtest.Today(), nil)
		w.merge(t, a, b)
		erase(t, b)
		require.Empty(t, w.about(t, b.ID))
		require.EqualValues(t, 10, askOne[int64](t, w, "SELECT balance FROM loyalty_account WHERE id = $1", a.ID))
		found, err := w.store.Customer(w.admin(t), crm.CustomerBy{Email: new("ends@example.org")})
		require.NoError(t, err)
		require.Equal(t, a.ID, found.ID)
	})
	t.Run("with it go those that were merged into it, over a whole chain", func(t *testing.T) {
		a, b, c := w.firm(t, "A AG"), w.firm(t, "B AG"), w.firm(t, "C AG")
		for _, x := range []*crm.Customer{a, b, c} {
			w.earned(t, x.ID, 10, crmtest.Today(), nil)
			w.owns(t, x.ID, crm.Owner)
		}
		w.merge(t, b, c)
		w.merge(t, a, b)
		got := erase(t, a)
		require.Empty(t, w.about(t, a.ID, b.ID, c.ID))
		// three customers and their statuses, three codes; the entries earned and, for two merges,
		// a pair of transfers; two merges
		require.Equal(t, 3*2+3+3+2*2+2, got.ItemsDeleted)
	})
	t.Run("its daughters belong to nobody then, in one revision of theirs", func(t *testing.T) {
		a, child := w.firm(t, "Mother AG"), w.firm(t, "Daughter AG")
		_, err := w.store.SetPartyParent(w.admin(t), partyOf(child), new(partyOf(a)), crm.Write{})
		require.NoError(t, err)
		erase(t, a)
		require.Equal(t, []int64{3, 3, 3}, w.revisions(t, child.ID))
		require.Equal(t, []string{"CUSTOMER_CREATED", "PARTY_PARENT_CHANGED", "PARTY_PARENT_CHANGED"}, w.events(t, partyOf(child)))
		require.Empty(t, w.about(t, a.ID))
	})
	t.Run("one of the seed, with all that it has; the other tenant's twin stays", func(t *testing.T) {
		twin := "SELECT t::text FROM customer t WHERE number = 1001 AND NOT " + inDemo
		before := ask[string](t, w, twin)
		require.NotEmpty(t, before)
		amelia := w.customer(t, 1001)
		id := uuid.MustParse(amelia[4:])
		merged := ask[uuid.UUID](t, w, "SELECT id FROM party WHERE merged_into_id = $1", id)
		_, err := w.store.EraseCustomer(w.admin(t), amelia, crm.Write{})
		require.NoError(t, err)
		require.Empty(t, w.about(t, append(merged, id)...))
		require.Equal(t, before, ask[string](t, w, twin))
	})
	t.Run("another revision is stale; a customer of another tenant is not found", func(t *testing.T) {
		_, err := w.store.EraseCustomer(w.admin(t), w.person(t, "Careful").NodeID(), at(2))
		require.Equal(t, crm.Stale, crm.CodeOf(err))
		acme := "cus_" + askOne[string](t, w, "SELECT id::text FROM customer WHERE NOT "+inDemo+" LIMIT 1")
		_, err = w.store.EraseCustomer(w.admin(t), acme, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
}

// The function that may delete from ledgers does so for the connection's tenant alone.
func TestEraseLedgersOfAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var acme, party uuid.UUID
	require.NoError(t, w.sql.QueryRow(t.Context(), "SELECT tenant_id, id FROM loyalty_account WHERE balance > 0 AND NOT "+inDemo+" LIMIT 1").Scan(&acme, &party))
	demo := askOne[uuid.UUID](t, w, "SELECT id FROM tenant WHERE code = 'demo'")
	before := w.rows(t)
	for _, tenant := range []uuid.UUID{acme, demo} {
		var n int
		err := w.store.DB.Query(db.WithTenant(t.Context(), demo), "SELECT transactions::int FROM crm_erase_ledgers($1, $2)", []any{tenant, party}, func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&n}, func() error { return nil })
			return err
		})
		require.NoError(t, err)
		require.Zero(t, n)
	}
	require.Equal(t, before, w.rows(t))
	t.Run("nor from another tenant's credit", func(t *testing.T) {
		require.NoError(t, w.sql.QueryRow(t.Context(), "SELECT tenant_id, account_id FROM credit_transaction WHERE NOT "+inDemo+" LIMIT 1").Scan(&acme, &party))
		for _, tenant := range []uuid.UUID{acme, demo} {
			var n int
			err := w.store.DB.Query(db.WithTenant(t.Context(), demo), "SELECT transactions::int FROM crm_erase_ledgers($1, $2)", []any{tenant, party}, func(rows pgx.Rows) error {
				_, err := pgx.ForEachRow(rows, []any{&n}, func() error { return nil })
				return err
			})
			require.NoError(t, err)
			require.Zero(t, n)
		}
		require.Equal(t, before, w.rows(t))
	})
	t.Run("and nobody deletes from a ledger without it", func(t *testing.T) {
		err := w.store.DB.Query(db.WithTenant(t.Context(), demo), "DELETE FROM loyalty_transaction WHERE tenant_id = $1 RETURNING 1", []any{demo}, func(rows pgx.Rows) error {
			for rows.Next() {
			}
			return rows.Err()
		})
		require.ErrorContains(t, err, "permission denied")
	})
}

func TestWhatIsGoneIsNotReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, end := range map[string]func(id string) error{
		"erased": func(id string) error {
			_, err := w.store.EraseCustomer(w.admin(t), id, keyed("end"))
			return err
		},
		"anonymised": func(id string) error {
			_, err := w.store.AnonymizeCustomer(w.admin(t), id, keyed("end"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			create := func() (*crm.Customer, error) {
				return w.store.CreateCustomer(w.admin(t), crm.CustomerCreate{LastName: new("Ghost"), Tags: []string{"secret"}}, keyed(name))
			}
			c, err := create()
			require.NoError(t, err)
			require.NoError(t, end(c.NodeID()))
			_, err = create()
			refused(t, err, crm.Conflict, crm.InvalidState, "")
			require.NoError(t, end(c.NodeID()), "its own answer is kept")
			require.Empty(t, ask[string](t, w, "SELECT key FROM idempotency_key WHERE outcome::text ~ 'Ghost|secret'"))
		})
	}
}
