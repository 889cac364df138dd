package crm_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// Durion 3.12, rules 2 and 5; G3N 3.3.
func TestMergeTakesFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	born := time.Date(1970, time.May, 1, 0, 0, 0, 0, time.UTC)
	a := w.newcomer(t, crm.CustomerCreate{FirstName: new("Ana"), Language: new("de"), Tags: []string{"vip", "old"}, Addresses: []*crm.Address{quay()}})
	b := w.newcomer(t, crm.CustomerCreate{FirstName: new("Anna"), LastName: new("First"), CountryCode: new("DE"), Tags: []string{"old", "new"}, Status: new(crm.CustomerInactive),
		Addresses: []*crm.Address{quay(), {Line1: "Hafen 1", City: "Kiel", CountryCode: "DE"}}, Type: new(crm.CustomerGovernment), PrimaryAddress: new("WORK")})
	c := w.newcomer(t, crm.CustomerCreate{LastName: new("Second"), BirthDate: &born, Metadata: json.RawMessage(`{"a":1}`), HomeLogicalID: new("store-1"),
		Addresses: []*crm.Address{{Line1: "Hafen 1", City: "Kiel", CountryCode: "DE"}}, PrimaryAddress: new("HOME")})
	preview, err := w.store.PreviewMerge(w.admin(t), partyOf(a), []string{partyOf(b), partyOf(c)})
	require.NoError(t, err)
	result := w.merge(t, a, b, c)
	p := result.Party
	t.Run("the survivor keeps what it has and takes what it lacks from the first loser that has it", func(t *testing.T) {
		require.Equal(t, []any{"Ana", "First", "Ana First", "de", "DE", &born}, []any{*p.FirstName, *p.LastName, p.DisplayName, *p.Language, *p.CountryCode, p.BirthDate})
		got, err := w.store.Customer(w.admin(t), crm.CustomerBy{ID: new(a.NodeID())})
		require.NoError(t, err)
		require.Equal(t, []any{"WORK", "store-1", `{"a": 1}`}, []any{*got.PrimaryAddress, *got.HomeLogicalID, string(got.Metadata)})
		require.Equal(t, []any{crm.CustomerActive, crm.CustomerPrivate, a.Code}, []any{got.Status, got.Type, got.Code}, "status, type and code are its own")
		require.Equal(t, []string{"vip", "old", "new"}, got.Tags)
	})
	t.Run("addresses are united, equal ones once, also those of two losers", func(t *testing.T) {
		require.Equal(t, []string{"12 Quay Street, Seattle, 98101, US", "Hafen 1, Kiel, DE"}, w.addresses(t, a.ID))
		require.Len(t, w.addresses(t, b.ID), 2, "the losers keep theirs")
	})
	t.Run("the preview told so", func(t *testing.T) {
		require.Equal(t, result.Merge.Moved, preview.Moved)
		results := map[string]any{}
		for _, f := range preview.Fields {
			if f.Result != nil {
				results[f.Field] = *f.Result
			}
			require.Equal(t, f.Field == "firstName", f.IsConflict, f.Field)
			require.Len(t, f.Losers, 2)
		}
		require.Equal(t, map[string]any{"firstName": "Ana", "lastName": "First", "language": "de", "countryCode": "DE", "birthDate": "1970-05-01", "primaryAddress": "WORK", "homeLogicalId": "store-1"}, results)
	})
	t.Run("an organisation keeps its legal name, its tier, its terms and its delivery", func(t *testing.T) {
		x, y := w.firm(t, "Stays AG"), w.firm(t, "Ends AG")
		w.do(t, "UPDATE party SET tier = 'GOLD', trading_name = 'Ends', tax_id = 'DE 1' WHERE id = $1", y.ID)
		w.do(t, "UPDATE account SET invoice_delivery = 'PORTAL', billing_terms_id = NULL WHERE id = $1", y.ID)
		p := w.merge(t, x, y).Party
		require.Equal(t, []any{"Stays AG", "Stays AG", "Ends", "DE 1", (*crm.AccountTier)(nil)}, []any{p.DisplayName, *p.LegalName, *p.TradingName, *p.TaxID, p.TierLevel})
		require.Equal(t, "EMAIL", askOne[string](t, w, "SELECT invoice_delivery FROM account WHERE id = $1 AND billing_terms_id IS NOT NULL", x.ID))
		require.Equal(t, "DE1", askOne[string](t, w, "SELECT tax_id_normalised FROM party WHERE id = $1", x.ID), "and is found by what it took")
	})
	t.Run("of persons without a name the survivor goes by its code", func(t *testing.T) {
		x, y := w.newcomer(t, crm.CustomerCreate{Phone: new("555-0188")}), w.newcomer(t, crm.CustomerCreate{Phone: new("555-0189")})
		require.Equal(t, x.Code, w.merge(t, x, y).Party.DisplayName)
	})
}

// G3N 3.2 and 3.3; Durion 3.12, rule 3.
func TestMergeTakesIdentifiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ext := func(system, value string) *crm.ExternalIdentifier {
		return &crm.ExternalIdentifier{System: system, Value: value}
	}
	a := w.newcomer(t, crm.CustomerCreate{Email: new("stay@example.org"), ExternalIdentifiers: []*crm.ExternalIdentifier{ext("erp", "1")}})
	b := w.newcomer(t, crm.CustomerCreate{Email: new("go@example.org"), Phone: new("+49 171 0001"), ExternalIdentifiers: []*crm.ExternalIdentifier{ext("erp", "2"), ext("pos", "9")}})
	result := w.merge(t, a, b)
	t.Run("all that led to the loser leads to the survivor, as an alias where the survivor has its own", func(t *testing.T) {
		require.Equal(t, []string{
			"CODE " + a.Code + " claimed", "CODE " + b.Code + " claimed alias", "EMAIL go@example.org claimed alias", "EMAIL stay@example.org claimed",
			"EXTERNAL erp 1 claimed", "EXTERNAL erp 2 claimed alias", "EXTERNAL pos 9 claimed", "PHONE +49 171 0001",
		}, w.identifiers(t, a.ID))
		require.Empty(t, w.identifiers(t, b.ID))
		for _, by := range []crm.CustomerBy{{Email: new(" GO@example.org")}, {Code: &b.Code}} {
			found, err := w.store.Customer(w.admin(t), by)
			require.NoError(t, err)
			require.Equal(t, a.ID, found.ID)
		}
	})
	t.Run("only external ids without a clash count as moved", func(t *testing.T) {
		require.Equal(t, 1, result.Merge.Moved.ExternalIdentifiers)
	})
	t.Run("the loser's own of a clash is kept with the merge", func(t *testing.T) {
		require.Equal(t, []string{"2"}, ask[string](t, w, `SELECT i->>'Value' FROM merge_loser, jsonb_array_elements(snapshot->'identifiers') i WHERE party_id = $1 AND i->>'SystemName' = 'erp'`, b.ID))
	})
	t.Run("the survivor has the loser's contact points, primary where it had none; the loser keeps its own", func(t *testing.T) {
		require.Equal(t, []string{"EMAIL stay@example.org primary", "EMAIL go@example.org", "PHONE +49 171 0001 primary"}, w.points(t, a.ID))
		require.Equal(t, []string{"EMAIL go@example.org primary", "PHONE +49 171 0001 primary"}, w.points(t, b.ID))
	})
	t.Run("nobody can take what was the loser's", func(t *testing.T) {
		for reason, in := range map[crm.Reason]crm.CustomerCreate{
			crm.EmailInUse: {Email: new("go@example.org")}, crm.CodeInUse: {LastName: new("X"), Code: &b.Code},
			crm.ExternalRefInUse: {ExternalIdentifiers: []*crm.ExternalIdentifier{ext("erp", "2")}},
		} {
			_, err := w.store.CreateCustomer(w.admin(t), in, crm.Write{})
			require.Contains(t, reasons(err), reason, "%s: %v", reason, err)
		}
	})
	t.Run("an address that both have is one, and claimed when either claimed it", func(t *testing.T) {
		x := w.newcomer(t, crm.CustomerCreate{Email: new("both@example.org")})
		y := w.newcomer(t, crm.CustomerCreate{Email: new("BOTH@example.org"), ClaimIfFree: true})
		w.merge(t, y, x)
		require.Equal(t, []string{"CODE " + x.Code + " claimed alias", "CODE " + y.Code + " claimed", "EMAIL BOTH@example.org claimed"}, w.identifiers(t, y.ID))
		require.Equal(t, []string{"EMAIL BOTH@example.org primary"}, w.points(t, y.ID))
	})
	t.Run("a survivor without a primary address makes that of the loser primary, though it has it already", func(t *testing.T) {
		x, y := w.newcomer(t, crm.CustomerCreate{Email: new("x@merge.example")}), w.newcomer(t, crm.CustomerCreate{Email: new("y@merge.example")})
		w.do(t, "UPDATE contact_point SET value = 'y@merge.example', normalised = 'y@merge.example', is_primary = false WHERE party_id = $1", x.ID)
		w.merge(t, x, y)
		require.Equal(t, []string{"EMAIL y@merge.example primary"}, w.points(t, x.ID))
	})
	t.Run("who becomes a customer by a merge gets a number and a code, and claims what is its own", func(t *testing.T) {
		plain, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "Plain Oy", Email: new("plain@example.org"), ExternalIdentifiers: []*crm.ExternalIdentifier{ext("erp", "plain")}}, crm.Write{})
		require.NoError(t, err)
		buyer := w.newcomer(t, crm.CustomerCreate{Kind: new(crm.Organization), LegalName: new("Buyer AB"), Type: new(crm.CustomerGovernment), Tags: []string{"x"}})
		w.merge(t, &crm.Customer{Row: plain.Party.Row}, buyer)
		c, err := w.store.Customer(w.admin(t), crm.CustomerBy{Email: new("plain@example.org")})
		require.NoError(t, err)
		require.Equal(t, []any{plain.Party.ID, crm.CustomerGovernment, []string{"x"}, int64(2)}, []any{c.ID, c.Type, c.Tags, c.Revision})
		require.Equal(t, []int64{2, 2, 2}, w.revisions(t, c.ID))
		require.Equal(t, []string{"CODE " + buyer.Code + " claimed alias", "CODE " + c.Code + " claimed", "EMAIL plain@example.org claimed", "EXTERNAL erp plain claimed"}, w.identifiers(t, c.ID))
		require.Equal(t, []string{"PARTY_CREATED", "CUSTOMER_CREATED", "PARTY_ABSORBED"}, w.events(t, partyOf(c)))
	})
}

func TestMergeTakesVehicles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c := w.person(t, "Keeps"), w.person(t, "Ends"), w.person(t, "Third")
	owned, driven, both := w.owns(t, b.ID, crm.Owner), w.owns(t, b.ID, crm.PrimaryDriver), w.owns(t, c.ID, crm.Owner)
	w.associate(t, both, a.ID, crm.PrimaryDriver)
	w.associate(t, both, b.ID, crm.PrimaryDriver)
	own := w.owns(t, a.ID, crm.Owner)
	w.warranted(t, b.ID, "SN-1")
	w.warranted(t, a.ID, "SN-2")
	result := w.merge(t, a, b)
	history := func(t *testing.T, vehicle string) []string {
		t.Helper()
		return ask[string](t, w, `SELECT concat_ws(' ', p.last_name, v.kind, to_char(v.effective_from, 'YYYY-MM-DD'), to_char(v.effective_to, 'YYYY-MM-DD')) FROM vehicle_association v
			JOIN party p ON p.id = v.party_id WHERE v.vehicle_id = $1::uuid ORDER BY v.kind, v.effective_from, v.effective_to`, vehicle)
	}
	t.Run("ownership ends and goes on at the same instant", func(t *testing.T) {
		require.Equal(t, []string{"Ends OWNER 2025-11-01 2026-11-01", "Keeps OWNER 2026-11-01"}, history(t, owned))
	})
	t.Run("so does driving", func(t *testing.T) {
		require.Equal(t, []string{"Ends PRIMARY_DRIVER 2025-11-01 2026-11-01", "Keeps PRIMARY_DRIVER 2026-11-01"}, history(t, driven))
	})
	t.Run("who drives it already does not drive it twice", func(t *testing.T) {
		require.Equal(t, []string{"Third OWNER 2025-11-01", "Ends PRIMARY_DRIVER 2025-11-01 2026-11-01", "Keeps PRIMARY_DRIVER 2025-11-01"}, history(t, both))
	})
	t.Run("the survivor's own stay as they are", func(t *testing.T) {
		require.Equal(t, []string{"Keeps OWNER 2025-11-01"}, history(t, own))
		require.EqualValues(t, 1, askOne[int64](t, w, "SELECT revision FROM vehicle WHERE id = $1::uuid", own))
	})
	t.Run("owned vehicles and warranties are counted", func(t *testing.T) {
		require.Equal(t, &crm.MergeCounts{Vehicles: 1, Warranties: 1}, result.Merge.Moved)
	})
	t.Run("each vehicle changes its revision once and tells", func(t *testing.T) {
		for vehicle, event := range map[string]string{owned: "VEHICLE_OWNER_REASSIGNED", driven: "VEHICLE_PRIMARY_DRIVER_ASSIGNED"} {
			require.EqualValues(t, 2, askOne[int64](t, w, "SELECT revision FROM vehicle WHERE id = $1::uuid", vehicle))
			require.Equal(t, []string{event}, ask[string](t, w, "SELECT type FROM event WHERE record_id = $1::uuid", vehicle))
		}
	})
	t.Run("warranties are the survivor's", func(t *testing.T) {
		require.Equal(t, []string{"SN-1 2", "SN-2 1"}, ask[string](t, w, "SELECT serial_number || ' ' || revision FROM warranty WHERE customer_id = $1 ORDER BY 1", a.ID))
	})
}

// G3N 3.3 and G26.
func TestMergeTakesPoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c, d := w.person(t, "Target"), w.person(t, "Source"), w.person(t, "Spent"), w.person(t, "Never")
	soon, later, past := crmtest.Today().AddDate(0, 1, 0), crmtest.Today().AddDate(1, 0, 0), crmtest.Today().AddDate(0, -1, 0)
	w.earned(t, a.ID, 50, past, nil)
	w.earned(t, b.ID, 100, past, &later)
	w.earned(t, b.ID, 200, soon, nil)
	w.earned(t, c.ID, 70, past, nil)
	_, err := w.store.AdjustPoints(w.admin(t), crm.LoyaltyAdjustment{CustomerID: c.NodeID(), Points: -70}, crm.Write{})
	require.NoError(t, err)
	ledgers := ask[string](t, w, "SELECT t::text FROM loyalty_transaction t ORDER BY id")
	result := w.merge(t, a, b, c, d)
	account := func(t *testing.T, c *crm.Customer) []int64 {
		t.Helper()
		x, err := w.store.LoyaltyAccount(w.admin(t), crm.LoyaltyAccountBy{Customer: new(c.NodeID())})
		require.NoError(t, err)
		return []int64{x.Balance, x.AvailablePoints, x.PendingPoints, x.LifetimeEarned}
	}
	t.Run("the target has the sum, the sources have nothing", func(t *testing.T) {
		require.Equal(t, []int64{350, 150, 200, 420}, account(t, a))
		require.Equal(t, []int64{0, 0, 0, 0}, account(t, b))
		require.Equal(t, []int64{0, 0, 0, 0}, account(t, c))
		require.EqualValues(t, 300, result.Merge.Moved.Points)
	})
	t.Run("balances are the sums of the ledgers and of the lots, and of lifetime earned", func(t *testing.T) {
		require.Empty(t, ask[uuid.UUID](t, w, `SELECT a.id FROM loyalty_account a WHERE
			a.balance <> (SELECT coalesce(sum(points), 0) FROM loyalty_transaction x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id) OR
			a.balance <> (SELECT coalesce(sum(remaining), 0) FROM loyalty_lot l WHERE l.tenant_id = a.tenant_id AND l.account_id = a.id) OR
			a.lifetime_earned <> (SELECT coalesce(sum(CASE type WHEN 'EARN' THEN points WHEN 'REVERSE' THEN points WHEN 'TRANSFER' THEN lifetime_moved END), 0)
				FROM loyalty_transaction x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id)`))
	})
	t.Run("what is left of each lot keeps its dates", func(t *testing.T) {
		require.Equal(t, []string{"50 2026-10-01 ", "100 2026-10-01 2027-11-01", "200 2026-12-01 "}, ask[string](t, w, `SELECT remaining || ' ' || to_char(available_at, 'YYYY-MM-DD') || ' ' || coalesce(to_char(expires_at, 'YYYY-MM-DD'), '')
			FROM loyalty_lot WHERE account_id = $1 AND remaining > 0 ORDER BY remaining`, a.ID))
	})
	t.Run("ledgers are continued by linked pairs, never rewritten", func(t *testing.T) {
		require.Subset(t, ask[string](t, w, "SELECT t::text FROM loyalty_transaction t"), ledgers)
		require.Equal(t, []string{"-300 0 -300 | 300 350 300", "0 0 -70 | 0 350 70"}, ask[string](t, w, `SELECT concat_ws(' ', d.points, d.balance_after, d.lifetime_moved, '|', x.points, x.balance_after, x.lifetime_moved)
			FROM loyalty_transaction_link l JOIN loyalty_transaction x ON x.id = l.transaction_id JOIN loyalty_transaction d ON d.id = l.related_id
			WHERE x.account_id = $1 AND x.type = 'TRANSFER' AND d.type = 'TRANSFER' ORDER BY x.id`, a.ID))
	})
	t.Run("a target that never had points gets an account", func(t *testing.T) {
		x := w.person(t, "Fresh")
		w.merge(t, x, a)
		require.Equal(t, []int64{350, 150, 200, 420}, account(t, x))
		require.Equal(t, []int64{0, 0, 0, 0}, account(t, a))
	})
	t.Run("who had none gives none", func(t *testing.T) {
		x := w.person(t, "Empty")
		w.merge(t, x, w.person(t, "Empty, too"))
		require.Zero(t, askOne[int](t, w, "SELECT count(*) FROM loyalty_account WHERE id = $1", x.ID))
	})
}

func TestMergeTakesChildren(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	under := func(child, parent *crm.Customer) {
		_, err := w.store.SetPartyParent(w.admin(t), partyOf(child), new(partyOf(parent)), crm.Write{})
		require.NoError(t, err)
	}
	above := func(t *testing.T, c *crm.Customer) string {
		t.Helper()
		return askOne[string](t, w, "SELECT coalesce((SELECT q.legal_name FROM party q WHERE q.id = p.parent_id), '') FROM party p WHERE p.id = $1", c.ID)
	}
	t.Run("organisations that belonged to a loser belong to the survivor, in one revision of theirs", func(t *testing.T) {
		a, b, child := w.firm(t, "Keeps AG"), w.firm(t, "Ends AG"), w.firm(t, "Child AG")
		under(child, b)
		require.Equal(t, 1, w.merge(t, a, b).Merge.Moved.Children)
		require.Equal(t, "Keeps AG", above(t, child))
		require.Equal(t, []int64{3, 3, 3}, w.revisions(t, child.ID))
		require.Equal(t, []string{"CUSTOMER_CREATED", "PARTY_PARENT_CHANGED", "PARTY_PARENT_CHANGED"}, w.events(t, partyOf(child)))
	})
	t.Run("a survivor below its loser takes its place", func(t *testing.T) {
		top, loser, between, survivor, sibling := w.firm(t, "Top AG"), w.firm(t, "Loser AG"), w.firm(t, "Between AG"), w.firm(t, "Survivor AG"), w.firm(t, "Sibling AG")
		under(loser, top)
		under(between, loser)
		under(survivor, between)
		under(sibling, loser)
		require.Equal(t, 2, w.merge(t, survivor, loser).Merge.Moved.Children)
		require.Equal(t, []string{"Top AG", "Survivor AG", "Survivor AG"}, []string{above(t, survivor), above(t, between), above(t, sibling)})
	})
	t.Run("so it does below several of its losers, and no circle comes of it", func(t *testing.T) {
		first, between, second, survivor := w.firm(t, "L1 AG"), w.firm(t, "M AG"), w.firm(t, "L2 AG"), w.firm(t, "S AG")
		under(between, first)
		under(second, between)
		under(survivor, second)
		w.merge(t, survivor, second, first)
		require.Equal(t, []string{"", "S AG"}, []string{above(t, survivor), above(t, between)})
	})
	t.Run("a merged party that belonged to a loser stays as it was", func(t *testing.T) {
		a, b, child, heir := w.firm(t, "Keeps SE"), w.firm(t, "Ends SE"), w.firm(t, "Child SE"), w.firm(t, "Heir SE")
		under(child, b)
		w.merge(t, heir, child)
		revision := w.revision(t, partyOf(child))
		require.Zero(t, w.merge(t, a, b).Merge.Moved.Children)
		require.Equal(t, revision, w.revision(t, partyOf(child)))
	})
}

func TestMergeOfWhatBeganLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	into, loser := w.person(t, "Early"), w.person(t, "Late")
	vehicle := w.owns(t, loser.ID, crm.Owner)
	w.do(t, "UPDATE vehicle_association SET effective_from = $2 WHERE vehicle_id = $1", vehicle, w.store.Now().Add(time.Second))
	w.merge(t, into, loser)
	require.Equal(t, []bool{true}, ask[bool](t, w, `SELECT o.effective_to = n.effective_from FROM vehicle_association o JOIN vehicle_association n USING (vehicle_id)
		WHERE vehicle_id = $1 AND o.party_id = $2 AND n.party_id = $3`, vehicle, loser.ID, into.ID))
}

func TestMergeKeepsHowInvoicesReachContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	into, loser, billing := w.firm(t, "Mail Only Inc"), w.firm(t, "Portal Only Ltd"), w.person(t, "Unmailable")
	_, err := w.store.UpdateAccount(w.admin(t), crm.Accounts.GlobalID(loser.ID), crm.AccountUpdate{InvoiceDelivery: given(crm.DeliverByPortal)}, crm.Write{})
	require.NoError(t, err)
	w.engaged(t, loser.ID, billing.ID, "BILLING*")
	w.merge(t, into, loser)
	require.Equal(t, []string{"PORTAL"}, ask[string](t, w, "SELECT invoice_delivery FROM contact WHERE organization_id = $1 AND person_id = $2", into.ID, billing.ID))
	_, err = w.store.UpdateAccount(w.admin(t), crm.Accounts.GlobalID(into.ID), crm.AccountUpdate{InvoiceDelivery: given(crm.DeliverByEmail)}, crm.Write{})
	require.NoError(t, err, "everyone who holds BILLING can be reached")
}

// A child that goes elsewhere while its parent is merged or erased stays where it went.
func TestChildrenThatMoveMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wide := w.wide(t)
	for i := range 8 {
		into, loser, elsewhere := w.firm(t, "Into Works "+string(rune('A'+i))), w.firm(t, "Loser Works "+string(rune('A'+i))), w.firm(t, "Else Works "+string(rune('A'+i)))
		child := w.firm(t, "Child Works "+string(rune('A'+i)))
		_, err := w.store.SetPartyParent(w.admin(t), partyOf(child), new(partyOf(loser)), crm.Write{})
		require.NoError(t, err)
		requests := []context.Context{as(t, wide), as(t, wide)}
		errs := atOnce(2, func(n int) error {
			var err error
			switch ctx := requests[n]; {
			case n == 0:
				_, err = wide.SetPartyParent(ctx, partyOf(child), new(partyOf(elsewhere)), crm.Write{})
			case i%2 == 0:
				_, err = wide.MergeParties(ctx, partyOf(into), mergeOf(loser), crm.Write{})
			default:
				_, err = wide.EraseCustomer(ctx, loser.NodeID(), crm.Write{})
			}
			return err
		})
		require.Equal(t, []error{nil, nil}, errs)
		require.Equal(t, elsewhere.ID.String(), askOne[string](t, w, "SELECT coalesce(parent_id::text, '') FROM party WHERE id = $1", child.ID))
	}
}

func TestMergeOfTooManyPoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.person(t, "Target"), w.person(t, "Source")
	for _, c := range []*crm.Customer{a, b} {
		_, err := w.store.AdjustPoints(w.admin(t), crm.LoyaltyAdjustment{CustomerID: c.NodeID(), Points: 1<<53 - 1}, crm.Write{})
		require.NoError(t, err)
	}
	_, err := w.store.MergeCustomers(w.admin(t), b.NodeID(), a.NodeID(), crm.Write{})
	refused(t, err, crm.Conflict, crm.InvalidState, "sourceId")
}
