package crm_test

import (
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// group makes a holding, a firm below it, and two branches below that.
func (d *frontDesk) group(t *testing.T, name string) (holding, firm, east, west *crm.Party) {
	t.Helper()
	holding = d.organization(t, name+" Holding")
	firm = d.organization(t, name+" Firm", holding.NodeID())
	east, west = d.organization(t, name+" East", firm.NodeID()), d.organization(t, name+" West", firm.NodeID())
	return holding, firm, east, west
}

// where names the organisations that a person is engaged at.
func (d *frontDesk) where(t *testing.T, person *crm.Party) string {
	t.Helper()
	return askDemo[string](t, d.world, `SELECT coalesce(string_agg(regexp_replace(o.display_name, '^\S+ ', ''), ' ' ORDER BY o.number), '')
		FROM contact k JOIN party o ON o.tenant_id = k.tenant_id AND o.id = k.organization_id
		WHERE k.tenant_id = $1 AND k.person_id = $2`, person.ID)
}

func TestContactPropagation(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	for _, c := range []struct {
		to   crm.ContactPropagation
		at   int // of the group
		want string
	}{
		{crm.PropagateUpward, 2, "Holding Firm East"},
		{crm.PropagateUpward, 0, "Holding"},
		{crm.PropagateDownward, 0, "Holding Firm East West"},
		{crm.PropagateDownward, 3, "West"},
		{crm.PropagateNot, 1, "Firm"},
	} {
		t.Run(fmt.Sprintf("%s from member %d", c.to, c.at), func(t *testing.T) {
			d.propagate(t, c.to)
			holding, firm, east, west := d.group(t, fmt.Sprintf("G%s%d", c.to, c.at))
			person := d.individual(t, "Spread", "spread@g.example")
			d.engage(t, []*crm.Party{holding, firm, east, west}[c.at], person)
			require.Equal(t, c.want, d.where(t, person))
		})
	}
	t.Run("a tenant that said nothing copies upward", func(t *testing.T) {
		fresh := openDesk(t)
		_, _, east, _ := fresh.group(t, "Default")
		person := fresh.individual(t, "Spread")
		fresh.engage(t, east, person)
		require.Equal(t, "Holding Firm East", fresh.where(t, person))
	})
	d.propagate(t, crm.PropagateUpward)
	t.Run("a copy has the same roles, is primary in nothing, and has a key of its own", func(t *testing.T) {
		holding, firm, _, _ := d.group(t, "Copy")
		k, err := d.store.CreateContact(d.admin(t), firm.NodeID(), crm.NewContact{
			Person: &crm.IndividualCreate{LastName: new("Original"), Email: new("o@copy.example")}, Key: new("the-original"),
			IsPrimary: true, Title: new("Chief"), Roles: []*crm.RoleAssignment{leads("BILLING"), holds("DRIVER")},
		}, crm.Write{})
		require.NoError(t, err)
		twin := d.contact(t, crm.Contacts.GlobalID(askDemo[[16]byte](t, d.world, "SELECT id FROM contact WHERE tenant_id = $1 AND organization_id = $2", holding.ID)))
		require.Equal(t, k.PersonID, twin.PersonID)
		require.Equal(t, twin.ID.String(), twin.Key)
		require.False(t, twin.IsPrimary)
		require.Equal(t, "Chief", *twin.Title)
		require.Equal(t, "BILLING! DRIVER", d.roles(t, k))
		require.Equal(t, "BILLING DRIVER", d.roles(t, twin))
		require.Equal(t, []string{"CONTACT_CREATED"}, d.events(t, twin.NodeID()))
	})
	t.Run("organisations that know the person are left alone, current or not", func(t *testing.T) {
		holding, firm, _, _ := d.group(t, "Known")
		person := d.individual(t, "Known")
		d.engage(t, holding, d.individual(t, "Other"))
		had := d.engage(t, holding, person, leads("DRIVER"))
		_, err := d.store.DeactivateContact(d.admin(t), had.NodeID(), at(1))
		require.NoError(t, err)
		d.engage(t, firm, person, holds("TECHNICAL"))
		still := d.contact(t, had.NodeID())
		require.Equal(t, crm.ContactInactive, still.Status)
		require.EqualValues(t, 2, still.Revision)
	})
	t.Run("organisations that are no more are passed over, those beyond them are not", func(t *testing.T) {
		_, firm, east, _ := d.group(t, "Passed")
		_, err := d.store.DeactivateParty(d.admin(t), firm.NodeID(), crm.Write{})
		require.NoError(t, err)
		person := d.individual(t, "Jumps")
		d.engage(t, east, person)
		require.Equal(t, "Holding East", d.where(t, person))
	})
	t.Run("updates, roles and ends do not propagate", func(t *testing.T) {
		holding, firm, _, _ := d.group(t, "Once")
		person := d.individual(t, "Once")
		d.engage(t, firm, d.individual(t, "Other"))
		k := d.engage(t, firm, person)
		_, err := d.store.UpdateContact(d.admin(t), k.NodeID(), crm.ContactUpdate{Title: graphql.OmittableOf(new("New"))}, crm.Write{})
		require.NoError(t, err)
		_, err = d.store.SetContactRoles(d.admin(t), k.NodeID(), crm.RoleSet{Roles: []*crm.RoleAssignment{holds("DRIVER")}}, crm.Write{})
		require.NoError(t, err)
		_, err = d.store.DeactivateContact(d.admin(t), k.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, "ACTIVE 1 ", askDemo[string](t, d.world, `SELECT status || ' ' || revision || ' ' || coalesce(title, '')
			FROM contact WHERE tenant_id = $1 AND organization_id = $2 AND person_id = $3`, holding.ID, person.ID))
	})
	t.Run("taking up an engagement again does not propagate", func(t *testing.T) {
		_, firm, _, _ := d.group(t, "Again")
		d.propagate(t, crm.PropagateNot)
		defer d.propagate(t, crm.PropagateUpward)
		person := d.individual(t, "Again")
		k := d.engage(t, firm, person)
		d.engage(t, firm, d.individual(t, "Other"))
		_, err := d.store.DeactivateContact(d.admin(t), k.NodeID(), crm.Write{})
		require.NoError(t, err)
		d.propagate(t, crm.PropagateUpward)
		d.engage(t, firm, person)
		require.Equal(t, "Firm", d.where(t, person))
	})
	t.Run("a copy that could not be billed stops it all", func(t *testing.T) {
		_, firm, _, _ := d.group(t, "Unbillable")
		require.NoError(t, d.deliver(t, firm, crm.DeliverByPortal))
		_, err := d.store.CreateContact(d.admin(t), firm.NodeID(), crm.NewContact{
			Person: &crm.IndividualCreate{LastName: new("Unbillable")}, Roles: []*crm.RoleAssignment{holds("BILLING")},
		}, crm.Write{})
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED input.roles[0].roleCode"}, refusals(err))
		require.Zero(t, askDemo[int](t, d.world, "SELECT count(*) FROM party WHERE tenant_id = $1 AND last_name = 'Unbillable'"))
	})
	t.Run("whoever engages one person in many branches at once makes one copy above", func(t *testing.T) {
		const branches = 20
		firm := d.organization(t, "Branches Firm", d.organization(t, "Branches Holding").NodeID())
		person := d.individual(t, "Everywhere")
		var all []*crm.Party
		for i := range branches {
			all = append(all, d.organization(t, fmt.Sprintf("Branches No%d", i), firm.NodeID()))
		}
		errs := atOnce(branches, func(i int) error {
			_, err := d.store.CreateContact(d.admin(t), all[i].NodeID(), crm.NewContact{PersonID: new(person.NodeID())}, crm.Write{})
			return err
		})
		require.Equal(t, branches, successes(errs), "%v", errs)
		require.Equal(t, branches+2, askDemo[int](t, d.world, "SELECT count(*) FROM contact WHERE tenant_id = $1 AND person_id = $2", person.ID))
	})
	t.Run("an organisation that moves meanwhile keeps the copies where it was or gets them where it is", func(t *testing.T) {
		const rounds = 10
		for i := range rounds {
			old, firm, east, _ := d.group(t, fmt.Sprintf("Move%d", i))
			next := d.organization(t, fmt.Sprintf("Move%d Next", i))
			person := d.individual(t, "Moves")
			errs := atOnce(2, func(j int) error {
				if j == 0 {
					_, err := d.store.SetPartyParent(d.admin(t), firm.NodeID(), new(next.NodeID()), crm.Write{})
					return err
				}
				_, err := d.store.CreateContact(d.admin(t), east.NodeID(), crm.NewContact{PersonID: new(person.NodeID())}, crm.Write{})
				return err
			})
			require.Equal(t, 2, successes(errs), "%v", errs)
			at := d.where(t, person)
			require.Contains(t, []string{"Holding Firm East", "Firm East Next"}, at, old.DisplayName)
		}
	})
}
