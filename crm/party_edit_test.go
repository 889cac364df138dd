package crm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func TestCreateIndividual(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("makes an ACTIVE person who is no customer", func(t *testing.T) {
		born := time.Date(1990, time.May, 4, 0, 0, 0, 0, time.UTC)
		customers := askOne[int64](t, w, "SELECT last_value FROM counter WHERE name = 'customer' AND "+inDemo)
		p, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{
			FirstName: new(" Anouk "), LastName: new("Étienne"), Email: new("anouk@example.com"), Phone: new("555-0188"), Key: new("anouk"),
			BirthDate: &born, Language: new("fr-CA"), CountryCode: new("CA"),
		}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []any{crm.Individual, crm.PartyActive, "Anouk Étienne", "anouk etienne", "anouk", int64(1)},
			[]any{p.Kind, p.Status, p.DisplayName, p.SearchName, p.Key, p.Revision})
		stored, err := w.store.Party(w.admin(t), crm.PartyBy{Key: new("anouk")})
		require.NoError(t, err)
		same(t, stored, p)
		customer, err := crm.PartyCustomer.Load(w.admin(t), p)
		require.NoError(t, err)
		require.Nil(t, customer)
		require.Equal(t, customers, askOne[int64](t, w, "SELECT last_value FROM counter WHERE name = 'customer' AND "+inDemo), "legacy ids are for customers")
		require.Equal(t, []string{"EMAIL anouk@example.com true", "PHONE 5550188 true"}, ask[string](t, w,
			"SELECT concat_ws(' ', kind, normalised, is_primary::text) FROM contact_point WHERE party_id = $1 ORDER BY kind", p.ID.String()))
		require.Equal(t, []string{"PARTY_CREATED"}, w.events(t, p.NodeID()))
	})
	t.Run("takes one name, and needs one", func(t *testing.T) {
		p, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{FirstName: new("Cher")}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, "Cher", p.DisplayName)
		_, err = w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{FirstName: new(" ")}, crm.Write{})
		require.Equal(t, []string{"input.lastName"}, fields(t, err))
	})
	t.Run("two people may be alike in everything", func(t *testing.T) {
		for range 2 {
			_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("Double"), Email: new("double@example.com"), Phone: new("5550188")}, crm.Write{})
			require.NoError(t, err)
		}
	})
	t.Run("checks every field", func(t *testing.T) {
		long, future := strings.Repeat("x", 101), w.store.Now().AddDate(0, 0, 1)
		_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{
			FirstName: &long, LastName: &long, Email: new("a@b"), Phone: new("call me 5550188"), Key: new("ä"), BirthDate: &future,
			Language: new("-"), CountryCode: new("de"), Restrictions: []string{""},
		}, crm.Write{})
		require.Equal(t, []string{"input.firstName", "input.lastName", "input.email", "input.phone", "input.key", "input.birthDate",
			"input.language", "input.countryCode", "input.restrictions[0]"}, fields(t, err))
	})
	t.Run("telephone numbers have 7 to 15 digits", func(t *testing.T) {
		for phone, ok := range map[string]bool{"555018": false, "5550188": true, "+1 (206) 555.01-88": true, "123456789012345": true, "1234567890123456": false, "5550188 x1": false} {
			_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("Phone"), Phone: &phone}, crm.Write{})
			require.Equal(t, ok, err == nil, phone)
		}
	})
	t.Run("e-mail addresses have the form local@domain.tld and at most 254 characters", func(t *testing.T) {
		for email, ok := range map[string]bool{"a@b.c": true, "a@b": false, "a b@c.de": false, "a@b@c.de": false, "@b.de": false, strings.Repeat("a", 246) + "@abcd.de": true, strings.Repeat("a", 247) + "@abcd.de": false} {
			_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("Mail"), Email: &email}, crm.Write{})
			require.Equal(t, ok, err == nil, email)
		}
	})
}

func TestUpdateParty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind, amelia := w.party(t, 5001), w.party(t, 1001)
	t.Run("what is left out stays, null clears", func(t *testing.T) {
		p, err := w.store.UpdateParty(w.admin(t), northwind, crm.PartyUpdate{TaxID: graphql.OmittableOf[*string](nil), CountryCode: graphql.OmittableOf(new("DE"))}, crm.Write{})
		require.NoError(t, err)
		require.Nil(t, p.TaxID)
		require.Equal(t, []any{"DE", "Northwind Logistics", "Northwind Logistics GmbH"}, []any{*p.CountryCode, *p.TradingName, p.DisplayName})
		require.Nil(t, askOne[*string](t, w, "SELECT tax_id_normalised FROM party WHERE id = $1", p.ID.String()))
	})
	t.Run("a legal name cannot be cleared, nor a person's last name that is its only one", func(t *testing.T) {
		_, err := w.store.UpdateParty(w.admin(t), northwind, crm.PartyUpdate{LegalName: graphql.OmittableOf[*string](nil)}, crm.Write{})
		require.Equal(t, []string{"input.legalName"}, fields(t, err))
		cleared := graphql.OmittableOf[*string](nil)
		person, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{FirstName: new("Ola"), LastName: new("Nordmann")}, crm.Write{})
		require.NoError(t, err)
		_, err = w.store.UpdateParty(w.admin(t), person.NodeID(), crm.PartyUpdate{FirstName: cleared, LastName: cleared}, crm.Write{})
		require.Equal(t, []string{"input.lastName"}, fields(t, err))
		p, err := w.store.UpdateParty(w.admin(t), person.NodeID(), crm.PartyUpdate{FirstName: cleared}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, "Nordmann", p.DisplayName)
	})
	t.Run("the names of the other kind of party are refused", func(t *testing.T) {
		name := graphql.OmittableOf(new("X"))
		_, err := w.store.UpdateParty(w.admin(t), northwind, crm.PartyUpdate{FirstName: name, LastName: name, BirthDate: graphql.OmittableOf[*time.Time](nil)}, crm.Write{})
		require.Equal(t, []string{"input.firstName", "input.lastName", "input.birthDate"}, fields(t, err))
		_, err = w.store.UpdateParty(w.admin(t), amelia, crm.PartyUpdate{LegalName: name, TradingName: name}, crm.Write{})
		require.Equal(t, []string{"input.legalName", "input.tradingName"}, fields(t, err))
	})
	t.Run("a new name is found and compared at once", func(t *testing.T) {
		_, err := w.store.UpdateParty(w.admin(t), northwind, renamed("Östliche Winde AG"), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []string{"ostliche winde ag", "ostliche winde"}, ask[string](t, w,
			"SELECT unnest(ARRAY[search_name, core_name]) FROM party WHERE id = substr($1, 5)::uuid", northwind))
	})
	t.Run("a party that is over cannot be changed", func(t *testing.T) {
		unchangeable(t, w, "id", func(id string) error {
			_, err := w.store.UpdateParty(w.admin(t), id, crm.PartyUpdate{}, crm.Write{})
			return err
		})
	})
}

// unchangeable checks that an operation refuses parties that are merged, anonymised and
// deactivated, and says which one a merged party became.
func unchangeable(t *testing.T, w *world, field string, operation func(id string) error) {
	t.Helper()
	find := func(where string) string {
		return "pty_" + askOne[string](t, w, "SELECT id::text FROM party WHERE "+where+" AND "+inDemo+" ORDER BY kind DESC, id LIMIT 1")
	}
	merged := find("status = 'MERGED'")
	e := refused(t, operation(merged), crm.Conflict, crm.MergedParty, field)
	require.Equal(t, "pty_"+askOne[string](t, w, "SELECT merged_into_id::text FROM party WHERE id = substr($1, 5)::uuid", merged), e.Related)
	refused(t, operation(find("status = 'ANONYMIZED'")), crm.Conflict, crm.InvalidState, field)
	gone := w.organization(t, "Gone "+strings.ReplaceAll(t.Name(), "/", " ")).NodeID()
	_, err := w.store.DeactivateParty(w.admin(t), gone, crm.Write{})
	require.NoError(t, err)
	refused(t, operation(gone), crm.Conflict, crm.InvalidState, field)
	require.Equal(t, crm.NotFound, crm.CodeOf(operation("pty_"+nobody)))
}

func TestChangePartyStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)
	for _, status := range []crm.PartyStatus{crm.PartyPending, crm.PartySuspended, crm.PartyInactive, crm.PartyActive} {
		p, err := w.store.ChangePartyStatus(w.admin(t), northwind, status, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, status, p.Status)
		require.Nil(t, p.DeactivatedAt, "INACTIVE alone ends nothing")
	}
	require.Equal(t, []string{`{"to": "PENDING", "from": "ACTIVE"}`, `{"to": "SUSPENDED", "from": "PENDING"}`, `{"to": "INACTIVE", "from": "SUSPENDED"}`, `{"to": "ACTIVE", "from": "INACTIVE"}`},
		ask[string](t, w, "SELECT details::text FROM event WHERE type = 'PARTY_STATUS_CHANGED' ORDER BY sequence"))
	t.Run("MERGED and ANONYMIZED come about by their own acts only", func(t *testing.T) {
		for _, status := range []crm.PartyStatus{crm.PartyMerged, crm.PartyAnonymized, "", "active"} {
			_, err := w.store.ChangePartyStatus(w.admin(t), northwind, status, crm.Write{})
			require.Equal(t, []string{"status"}, fields(t, err))
		}
	})
	t.Run("MERGED and ANONYMIZED are final, and a deactivated party is open to ACTIVE alone", func(t *testing.T) {
		for _, status := range []crm.PartyStatus{crm.PartyPending, crm.PartySuspended, crm.PartyInactive} {
			unchangeable(t, w, "id", func(id string) error {
				_, err := w.store.ChangePartyStatus(w.admin(t), id, status, crm.Write{})
				return err
			})
			w.do(t, "UPDATE party SET legal_name = id::text, display_name = id::text, search_name = id::text, core_name = id::text WHERE legal_name LIKE 'Gone %'")
		}
		for _, final := range []string{"MERGED", "ANONYMIZED"} {
			id := "pty_" + askOne[string](t, w, "SELECT id::text FROM party WHERE status = $1 AND "+inDemo+" LIMIT 1", final)
			_, err := w.store.ChangePartyStatus(w.admin(t), id, crm.PartyActive, crm.Write{})
			require.Equal(t, crm.Conflict, crm.CodeOf(err), final)
		}
	})
}

func TestSetPartyParent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	firm := func(name string) string { return w.organization(t, name).NodeID() }
	set := func(child string, parent *string) error {
		p, err := w.store.SetPartyParent(w.admin(t), child, parent, crm.Write{})
		if err == nil {
			require.Equal(t, parent == nil, p.ParentID == nil)
		}
		return err
	}
	a, b, c := firm("Auk"), firm("Brent"), firm("Crane")
	require.NoError(t, set(b, &a))
	require.NoError(t, set(c, &b))
	require.Equal(t, []string{"PARTY_CREATED", "PARTY_PARENT_CHANGED"}, w.events(t, c))
	require.Equal(t, "{parent}", askOne[string](t, w, "SELECT changed_fields::text FROM event WHERE type = 'PARTY_PARENT_CHANGED' ORDER BY sequence DESC LIMIT 1"))
	t.Run("nothing belongs to itself", func(t *testing.T) {
		refused(t, set(a, &a), crm.Invalid, crm.InvalidParent, "parentId")
	})
	t.Run("nor over others", func(t *testing.T) {
		refused(t, set(a, &b), crm.Invalid, crm.InvalidParent, "parentId")
		refused(t, set(a, &c), crm.Invalid, crm.InvalidParent, "parentId")
	})
	t.Run("a person belongs to no organisation and nothing to a person", func(t *testing.T) {
		amelia := w.party(t, 1001)
		refused(t, set(amelia, &a), crm.Invalid, crm.InvalidParent, "id")
		refused(t, set(amelia, nil), crm.Invalid, crm.InvalidParent, "id")
		refused(t, set(a, &amelia), crm.Invalid, crm.InvalidParent, "parentId")
	})
	t.Run("the parent must be there, of this tenant and in use", func(t *testing.T) {
		theirs := "pty_" + askOne[string](t, w, "SELECT p.id::text FROM party p JOIN tenant t ON t.id = p.tenant_id WHERE t.code = 'acme' AND kind = 'ORGANIZATION' LIMIT 1")
		merged := "pty_" + askOne[string](t, w, "SELECT id::text FROM party WHERE kind = 'ORGANIZATION' AND status = 'MERGED' AND "+inDemo+" LIMIT 1")
		gone := firm("Gone")
		_, err := w.store.DeactivateParty(w.admin(t), gone, crm.Write{})
		require.NoError(t, err)
		for _, parent := range []string{"pty_" + nobody, theirs, merged, gone} {
			refused(t, set(a, &parent), crm.Invalid, crm.InvalidParent, "parentId")
		}
		require.Equal(t, []string{"parentId"}, fields(t, set(a, new("cus_"+nobody))))
	})
	t.Run("null ends it, and then the other way round is fine", func(t *testing.T) {
		require.NoError(t, set(b, nil))
		require.NoError(t, set(a, &c))
		require.NoError(t, set(a, nil))
		require.NoError(t, set(b, &a))
	})
	t.Run("a party that is over cannot be moved", func(t *testing.T) {
		unchangeable(t, w, "id", func(id string) error { return set(id, nil) })
	})
	t.Run("another revision is Stale", func(t *testing.T) {
		_, err := w.store.SetPartyParent(w.admin(t), a, nil, at(1))
		refused(t, err, crm.Stale, "", "ifRevision")
	})
	t.Run("a chain has at most 32 members, counted above and below", func(t *testing.T) {
		chain := func(prefix string, n int) []string {
			members := make([]string, n)
			for i := range members {
				members[i] = firm(fmt.Sprintf("%s %s", prefix, strings.Repeat(string(rune('a'+i)), 4)))
				if i > 0 {
					require.NoError(t, set(members[i], &members[i-1]))
				}
			}
			return members
		}
		upper, lower := chain("Upper", 20), chain("Lower", 12)
		require.NoError(t, set(lower[0], &upper[19]))
		refused(t, set(firm("One more below"), &lower[11]), crm.Invalid, crm.InvalidParent, "parentId")
		refused(t, set(upper[0], new(firm("One more above"))), crm.Invalid, crm.InvalidParent, "parentId")
		require.NoError(t, set(firm("One beside the last"), &lower[10]))
		_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "One born below", ParentID: &lower[11]}, crm.Write{})
		refused(t, err, crm.Invalid, crm.InvalidParent, "input.parentId")
	})
}

// Organisations in a ring are each told at once to belong to the next: the last of them to
// come, whichever it is, would close the ring.
func TestSetPartyParent_NoRingIsEverClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	ring := make([]string, crowd)
	for i := range ring {
		ring[i] = w.organization(t, "Ring "+strings.Repeat(string(rune('a'+i)), 4)).NodeID()
	}
	for range 3 {
		errs := together(t, store, func(ctx context.Context, i int) error {
			_, err := store.SetPartyParent(ctx, ring[i], &ring[(i+1)%crowd], crm.Write{})
			return err
		})
		var failed []error
		for _, err := range errs {
			if err != nil {
				failed = append(failed, err)
			}
		}
		require.Len(t, failed, 1)
		refused(t, failed[0], crm.Invalid, crm.InvalidParent, "parentId")
		require.Empty(t, ask[string](t, w, `WITH RECURSIVE up (start, id, depth) AS (SELECT id, parent_id, 1 FROM party WHERE parent_id IS NOT NULL
			UNION ALL SELECT up.start, p.parent_id, depth + 1 FROM up JOIN party p ON p.id = up.id WHERE p.parent_id IS NOT NULL AND depth < 40)
			SELECT start::text FROM up WHERE start = id`))
		w.do(t, "UPDATE party SET parent_id = NULL WHERE legal_name LIKE 'Ring %' AND parent_id IS NOT NULL")
	}
}

func TestDeactivateParty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)
	count := func(sql string) int {
		return askOne[int](t, w, "SELECT count(*)::int FROM "+strings.ReplaceAll(sql, "NORTHWIND", "(SELECT id FROM party WHERE number = 5001 AND "+inDemo+")"))
	}
	vehicles := count("vehicle_association WHERE party_id = NORTHWIND AND effective_to IS NULL")
	contacts := count("contact WHERE organization_id = NORTHWIND AND status = 'ACTIVE'")
	drivers := count("vehicle_association a JOIN vehicle_association o ON o.vehicle_id = a.vehicle_id AND o.party_id = NORTHWIND WHERE a.kind = 'PRIMARY_DRIVER' AND a.effective_to IS NULL")
	require.Equal(t, 24, vehicles)
	require.Positive(t, contacts)
	before := w.rows(t)
	p, err := w.store.DeactivateParty(w.admin(t), northwind, at(1))
	require.NoError(t, err)

	t.Run("it becomes INACTIVE with its customer and account, and keeps its row", func(t *testing.T) {
		require.Equal(t, crm.PartyInactive, p.Status)
		require.True(t, w.store.Now().Equal(*p.DeactivatedAt))
		require.Equal(t, []string{"INACTIVE", "INACTIVE", "INACTIVE"}, ask[string](t, w, "SELECT status FROM party WHERE id = substr($1, 5)::uuid "+
			"UNION ALL SELECT status FROM customer WHERE id = substr($1, 5)::uuid UNION ALL SELECT status FROM account WHERE id = substr($1, 5)::uuid", northwind))
		for table, state := range w.rows(t) {
			if table != "event" {
				require.Equal(t, strings.Fields(before[table])[0], strings.Fields(state)[0], "%s keeps its rows", table)
			}
		}
	})
	t.Run("its vehicles are nobody's from now on, with their history", func(t *testing.T) {
		require.Zero(t, count("vehicle_association WHERE party_id = NORTHWIND AND effective_to IS NULL"))
		require.Equal(t, vehicles, count("vehicle_association WHERE party_id = NORTHWIND AND effective_to = '2026-11-01Z'"))
		require.Equal(t, vehicles, count("vehicle v WHERE v.revision = 2 AND v.updated_at = '2026-11-01Z' AND v.status = 'ACTIVE'"))
		require.Equal(t, drivers, count("vehicle_association a JOIN vehicle_association o ON o.vehicle_id = a.vehicle_id AND o.party_id = NORTHWIND WHERE a.kind = 'PRIMARY_DRIVER' AND a.effective_to IS NULL"),
			"others' driving is not touched")
	})
	t.Run("its contacts and the roles they hold for it end", func(t *testing.T) {
		require.Zero(t, count("contact WHERE organization_id = NORTHWIND AND (status = 'ACTIVE' OR is_primary)"))
		require.Zero(t, count("contact_role WHERE organization_id = NORTHWIND AND (status = 'ACTIVE' OR is_primary)"))
		require.Zero(t, count("contact_role WHERE organization_id = NORTHWIND AND revision <> 2"))
	})
	t.Run("each end is an event, that of the party last", func(t *testing.T) {
		require.Equal(t, []string{fmt.Sprintf("CONTACT_DEACTIVATED %d", contacts), "PARTY_DEACTIVATED 1", fmt.Sprintf("VEHICLE_RELEASED %d", vehicles)},
			ask[string](t, w, "SELECT type || ' ' || count(*) FROM event GROUP BY type ORDER BY type"))
		require.Equal(t, "PARTY_DEACTIVATED", askOne[string](t, w, "SELECT type FROM event ORDER BY sequence DESC LIMIT 1"))
		require.Equal(t, 1, askOne[int](t, w, "SELECT count(DISTINCT details->>'party')::int FROM event WHERE type = 'VEHICLE_RELEASED' AND details->>'party' = $1", northwind))
	})
	t.Run("twice is a conflict", func(t *testing.T) {
		_, err := w.store.DeactivateParty(w.admin(t), northwind, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	t.Run("ACTIVE brings it back with its customer and account; what ended stays ended", func(t *testing.T) {
		p, err := w.store.ChangePartyStatus(w.admin(t), northwind, crm.PartyActive, at(2))
		require.NoError(t, err)
		require.Nil(t, p.DeactivatedAt)
		require.Equal(t, []string{"ACTIVE", "ACTIVE", "ACTIVE"}, ask[string](t, w, "SELECT status FROM party WHERE id = substr($1, 5)::uuid "+
			"UNION ALL SELECT status FROM customer WHERE id = substr($1, 5)::uuid UNION ALL SELECT status FROM account WHERE id = substr($1, 5)::uuid", northwind))
		require.Zero(t, count("vehicle_association WHERE party_id = NORTHWIND AND effective_to IS NULL"))
		require.Zero(t, count("contact WHERE organization_id = NORTHWIND AND status = 'ACTIVE'"))
		_, err = w.store.UpdateParty(w.admin(t), northwind, renamed("Northwind Again"), at(3))
		require.NoError(t, err)
	})
	t.Run("a person's engagements and driving end, too", func(t *testing.T) {
		driver := askOne[string](t, w, `SELECT 'pty_' || a.party_id FROM vehicle_association a JOIN contact c ON c.person_id = a.party_id AND c.status = 'ACTIVE'
			WHERE a.kind = 'PRIMARY_DRIVER' AND a.effective_to IS NULL AND a.`+inDemo+" LIMIT 1")
		_, err := w.store.DeactivateParty(w.admin(t), driver, crm.Write{})
		require.NoError(t, err)
		require.Empty(t, ask[string](t, w, "SELECT id::text FROM contact WHERE person_id = substr($1, 5)::uuid AND status = 'ACTIVE'", driver))
		require.Empty(t, ask[string](t, w, "SELECT id::text FROM vehicle_association WHERE party_id = substr($1, 5)::uuid AND effective_to IS NULL", driver))
	})
	t.Run("a party that is over cannot be deactivated", func(t *testing.T) {
		unchangeable(t, w, "id", func(id string) error {
			_, err := w.store.DeactivateParty(w.admin(t), id, crm.Write{})
			return err
		})
	})
}

func TestDeactivateParty_Together(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	// A firm and eleven of its staff, each twice and all at once: contacts are theirs and the firm's.
	staff := append(ask[string](t, w, "SELECT 'pty_' || person_id FROM contact WHERE organization_id = (SELECT id FROM party WHERE number = 5001 AND "+inDemo+") LIMIT 11"), w.party(t, 5001))
	require.Len(t, staff, crowd/2)
	errs := together(t, store, func(ctx context.Context, i int) error {
		_, err := store.DeactivateParty(ctx, staff[i%len(staff)], crm.Write{})
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			refused(t, err, crm.Conflict, crm.InvalidState, "id")
		}
	}
	require.Equal(t, len(staff), won)
	for _, id := range staff {
		require.Equal(t, []string{"PARTY_DEACTIVATED"}, w.events(t, id))
	}
	require.Empty(t, ask[string](t, w, "SELECT record_id::text FROM event WHERE type = 'CONTACT_DEACTIVATED' GROUP BY record_id HAVING count(*) > 1"), "nothing ends twice")
	require.Empty(t, ask[string](t, w, "SELECT id::text FROM contact WHERE organization_id = (SELECT id FROM party WHERE number = 5001 AND "+inDemo+") AND status = 'ACTIVE'"))
}
