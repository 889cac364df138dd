package crm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// exposed makes a customer with something everywhere. All that is personal holds one of the
// words that the test looks for.
func (w *world) exposed(t *testing.T) (c, loser, first *crm.Customer) {
	t.Helper()
	born := time.Date(1977, time.July, 7, 0, 0, 0, 0, time.UTC)
	named := func(n int) crm.CustomerCreate {
		return crm.CustomerCreate{
			FirstName: new("Zelda"), LastName: new("Zyxwvut"), BirthDate: &born, Email: new(fmt.Sprintf("zelda%d@zyxwvut.example", n)), Phone: new(fmt.Sprintf("+49 171 987654%d", n)),
			Tags: []string{"friend of zyxwvut"}, Metadata: json.RawMessage(`{"nick":"zyxwvut"}`), PrimaryAddress: new("Haus Zyxwvut"),
			Addresses:           []*crm.Address{{Label: new("Zyxwvut"), Line1: fmt.Sprintf("Zyxwvut Weg %d", n), City: "Kiel", CountryCode: "DE"}},
			ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: fmt.Sprintf("keep-%d", n)}},
		}
	}
	c, loser, first = w.newcomer(t, named(1)), w.newcomer(t, named(2)), w.newcomer(t, named(3))
	for _, x := range []*crm.Customer{c, loser, first} {
		_, err := w.store.UpdateParty(w.admin(t), partyOf(x), crm.PartyUpdate{TaxID: given("ZYXWVUT 1")}, crm.Write{})
		require.NoError(t, err)
		w.do(t, "INSERT INTO communication_preferences (tenant_id, id, note, update_source, updated_by) SELECT tenant_id, id, 'zyxwvut calls back', 'x', 'x' FROM party WHERE id = $1", x.ID)
		w.do(t, "INSERT INTO consent (tenant_id, id, party_id, type, state, captured_at) SELECT tenant_id, gen_random_uuid(), id, 'marketing_email', 'GRANTED', $2 FROM party WHERE id = $1", x.ID, crmtest.Today())
		w.earned(t, x.ID, 10, crmtest.Today(), nil)
		w.warranted(t, x.ID, "SN-"+x.Code)
	}
	w.merge(t, loser, first)
	w.merge(t, c, loser)
	return c, loser, first
}

// traces finds the columns of tenants' tables that hold a text.
func (w *world) traces(t *testing.T, texts ...string) []string {
	t.Helper()
	var found []string
	for _, column := range ask[string](t, w, `SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
		JOIN information_schema.tables b ON b.table_schema = c.table_schema AND b.table_name = c.table_name AND b.table_type = 'BASE TABLE'
		WHERE c.table_schema = 'public' AND (c.data_type IN ('text', 'json', 'jsonb', 'ARRAY', 'date') OR c.data_type LIKE 'character%') ORDER BY 1`) {
		table, name, _ := strings.Cut(column, ".")
		for _, text := range texts {
			if askOne[int](t, w, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s::text ILIKE '%%' || $1 || '%%'", table, name), text) > 0 {
				found = append(found, column+": "+text)
			}
		}
	}
	return found
}

// personal are the words of an exposed customer, in every form they are stored in.
func personal() []string {
	return []string{"zelda", "zyxwvut", "171 98765", "17198765", "1977-07-07"}
}

// G3N 3.4, anonymise.
func TestCustomerAnonymize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, loser, first := w.exposed(t)
	require.NotEmpty(t, w.traces(t, personal()...), "the test looks in the right places")
	got, err := w.store.AnonymizeCustomer(w.admin(t), c.NodeID(), crm.Write{IfRevision: new(int64(3)), Audit: &crm.Audit{Reason: new("privacy request")}})
	require.NoError(t, err)
	t.Run("the record stays, as ANONYMIZED, in one revision", func(t *testing.T) {
		require.Equal(t, []any{c.ID, c.Number, crm.CustomerAnonymized, int64(4)}, []any{got.ID, got.Number, got.Status, got.Revision})
		require.Equal(t, []bool{true}, ask[bool](t, w, "SELECT anonymized_at = $2 FROM party WHERE id = $1 AND status = 'ANONYMIZED'", c.ID, crmtest.Today()))
		require.Equal(t, []int64{4, 4}, w.revisions(t, c.ID))
	})
	t.Run("what was there is redacted, what was empty stays empty", func(t *testing.T) {
		p, err := crm.CustomerParty.Load(w.admin(t), got)
		require.NoError(t, err)
		require.Equal(t, []any{crm.Redacted, crm.Redacted, crm.Redacted, crm.Redacted, (*time.Time)(nil), (*string)(nil)},
			[]any{*p.FirstName, *p.LastName, p.DisplayName, *p.TaxID, p.BirthDate, p.Language})
		require.Equal(t, []any{[]string{}, `{}`, crm.Redacted}, []any{got.Tags, string(got.Metadata), *got.PrimaryAddress})
		require.Equal(t, []string{"EMAIL [redacted] primary", "EMAIL [redacted]", "EMAIL [redacted]", "PHONE [redacted] primary", "PHONE [redacted]", "PHONE [redacted]"}, w.points(t, c.ID))
		require.Empty(t, w.addresses(t, c.ID))
	})
	t.Run("no table holds anything personal any more, also of those that were merged into it, also over a chain", func(t *testing.T) {
		require.Empty(t, w.traces(t, personal()...))
	})
	t.Run("code and external ids still lead to it, e-mail and phone do not", func(t *testing.T) {
		require.Equal(t, []string{
			"CODE " + c.Code + " claimed", "CODE " + loser.Code + " claimed alias", "CODE " + first.Code + " claimed alias",
			"EXTERNAL pos keep-1 claimed", "EXTERNAL pos keep-2 claimed alias", "EXTERNAL pos keep-3 claimed alias",
		}, w.identifiers(t, c.ID))
		for _, code := range []string{c.Code, loser.Code, first.Code} {
			found, err := w.store.Customer(w.admin(t), crm.CustomerBy{Code: &code})
			require.NoError(t, err)
			require.Equal(t, c.ID, found.ID)
		}
		_, err := w.store.Customer(w.admin(t), crm.CustomerBy{Email: new("zelda1@zyxwvut.example")})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
	t.Run("consents, points, warranties and merges stay", func(t *testing.T) {
		require.Equal(t, 1, askOne[int](t, w, "SELECT count(*) FROM consent WHERE party_id = $1", c.ID))
		require.EqualValues(t, 30, askOne[int64](t, w, "SELECT balance FROM loyalty_account WHERE id = $1", c.ID))
		require.Equal(t, 3, askOne[int](t, w, "SELECT count(*) FROM warranty WHERE customer_id = $1", c.ID))
		require.Equal(t, 1, askOne[int](t, w, "SELECT count(*) FROM merge WHERE survivor_id = $1", c.ID))
	})
	t.Run("search finds it no more", func(t *testing.T) {
		for _, text := range []string{"Zyxwvut", "redacted", "zelda1@zyxwvut.example", "+49 171 9876541", c.Code} {
			hits, err := w.store.Search(w.admin(t), text, nil, nil)
			require.NoError(t, err)
			for _, h := range hits {
				require.NotContains(t, []string{c.NodeID(), partyOf(c), loser.NodeID(), first.NodeID()}, h.Node.(crm.Node).NodeID(), text)
			}
		}
	})
	t.Run("its event holds nothing personal", func(t *testing.T) {
		require.Equal(t, []string{"privacy request {}"}, ask[string](t, w, "SELECT reason || ' ' || details::text FROM event WHERE record_id = $1 AND type = 'CUSTOMER_ANONYMIZED'", c.ID))
	})
	t.Run("again it changes nothing and answers the same", func(t *testing.T) {
		before := w.rows(t)
		again, err := w.store.AnonymizeCustomer(w.admin(t), c.NodeID(), at(4))
		require.NoError(t, err)
		same(t, got, again)
		require.Equal(t, before, w.rows(t))
		_, err = w.store.AnonymizeCustomer(w.admin(t), c.NodeID(), at(3))
		require.Equal(t, crm.Stale, crm.CodeOf(err))
	})
	t.Run("it takes no changes", func(t *testing.T) {
		for _, do := range []func(ctx context.Context) error{
			func(ctx context.Context) error {
				_, err := w.store.UpdateCustomer(ctx, c.NodeID(), crm.CustomerUpdate{}, crm.Write{})
				return err
			},
			func(ctx context.Context) error {
				_, err := w.store.ChangeCustomerStatus(ctx, c.NodeID(), crm.CustomerActive, crm.Write{})
				return err
			},
			func(ctx context.Context) error {
				_, err := w.store.DeactivateCustomer(ctx, c.NodeID(), crm.Write{})
				return err
			},
			func(ctx context.Context) error {
				_, err := w.store.UpdateParty(ctx, partyOf(c), crm.PartyUpdate{}, crm.Write{})
				return err
			},
		} {
			refused(t, do(w.admin(t)), crm.Conflict, crm.InvalidState, "id")
		}
	})
	t.Run("the e-mail address is free at once", func(t *testing.T) {
		w.newcomer(t, crm.CustomerCreate{Email: new("zelda1@zyxwvut.example"), Phone: new("+49 171 9876541")})
	})
}

func TestCustomerAnonymizeOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("an organisation keeps its registered name, and loses how it is reached", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{Kind: new(crm.Organization), LegalName: new("Loud AG"), Email: new("loud@example.org")})
		_, err := w.store.AnonymizeCustomer(w.admin(t), c.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []string{"Loud AG [redacted]"}, ask[string](t, w, "SELECT legal_name || ' ' || display_name FROM party WHERE id = $1", c.ID))
		require.Equal(t, []string{"EMAIL [redacted] primary"}, w.points(t, c.ID))
		require.Equal(t, []int64{2, 2, 2}, w.revisions(t, c.ID))
	})
	t.Run("a customer without a name shows none", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{Email: new("quiet@example.org")})
		_, err := w.store.AnonymizeCustomer(w.admin(t), c.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []string{"[redacted]"}, ask[string](t, w, "SELECT display_name FROM party WHERE id = $1 AND first_name IS NULL AND last_name IS NULL", c.ID))
	})
	t.Run("inactive and deactivated customers can be anonymised", func(t *testing.T) {
		c, d := w.newcomer(t, crm.CustomerCreate{LastName: new("Idle"), Status: new(crm.CustomerInactive)}), w.person(t, "Gone")
		_, err := w.store.DeactivateCustomer(w.admin(t), d.NodeID(), crm.Write{})
		require.NoError(t, err)
		for _, x := range []*crm.Customer{c, d} {
			_, err := w.store.AnonymizeCustomer(w.admin(t), x.NodeID(), crm.Write{})
			require.NoError(t, err)
		}
	})
	t.Run("a merged one is refused and leads to its survivor", func(t *testing.T) {
		a, b := w.person(t, "Keeps"), w.person(t, "Ends")
		w.merge(t, a, b)
		_, err := w.store.AnonymizeCustomer(w.admin(t), b.NodeID(), crm.Write{})
		require.Equal(t, partyOf(a), refused(t, err, crm.Conflict, crm.MergedParty, "id").Related)
	})
	t.Run("another revision is stale, nobody is not found, an agent may not", func(t *testing.T) {
		c := w.person(t, "Careful")
		_, err := w.store.AnonymizeCustomer(w.admin(t), c.NodeID(), at(2))
		require.Equal(t, crm.Stale, crm.CodeOf(err))
		_, err = w.store.AnonymizeCustomer(w.admin(t), crm.Customers.GlobalID(uuid.New()), crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
		ctx, _ := crmtest.As(t, w.store, "demo", "agent")
		_, err = w.store.AnonymizeCustomer(ctx, c.NodeID(), crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = w.store.EraseCustomer(ctx, c.NodeID(), crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}
