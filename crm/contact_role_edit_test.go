package crm_test

import (
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func (d *frontDesk) setRoles(t *testing.T, k *crm.Contact, w crm.Write, roles ...*crm.RoleAssignment) (*crm.Contact, error) {
	t.Helper()
	return d.store.SetContactRoles(d.admin(t), k.NodeID(), crm.RoleSet{Roles: roles}, w)
}

// harbour is the fixture of Durion's golden examples: K1 leads BILLING at revision 3, K2 can
// only be called, K3 is APPROVER.
func (d *frontDesk) harbour(t *testing.T) (k1, k2, k3 *crm.Contact) {
	t.Helper()
	firm := d.organization(t, "Harbor Fleet Lines")
	k1 = d.engage(t, firm, d.individual(t, "Priya Raman", "priya@harborfl.example"))
	for range 2 {
		var err error
		k1, err = d.setRoles(t, k1, at(k1.Revision), leads("BILLING"))
		require.NoError(t, err)
	}
	phone, err := d.store.CreateIndividual(d.admin(t), crm.IndividualCreate{LastName: new("Castellano"), Phone: new("030 1234 5678")}, crm.Write{})
	require.NoError(t, err)
	k2 = d.engage(t, firm, phone)
	k3 = d.engage(t, firm, d.individual(t, "Lena Fischer", "lena@harborfl.example"), holds("APPROVER"))
	return k1, k2, k3
}

func TestContactRolesSet(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	k1, k2, k3 := d.harbour(t)
	newest := func(k *crm.Contact) string {
		all := d.events(t, k.NodeID())
		return all[len(all)-1]
	}
	require.EqualValues(t, 3, k1.Revision)
	t.Run("making a contact primary demotes the one before and counts as its change (G14)", func(t *testing.T) {
		got, err := d.setRoles(t, k3, at(1), holds("APPROVER"), leads("BILLING"))
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Revision)
		require.Equal(t, "APPROVER BILLING!", d.roles(t, k3))
		require.Equal(t, "BILLING", d.roles(t, k1))
		require.EqualValues(t, 4, d.contact(t, k1.NodeID()).Revision)
		require.Equal(t, "CONTACT_ROLES_UPDATED", newest(k1))
		require.Equal(t, "CONTACT_ROLES_UPDATED", newest(k3))
		require.Equal(t, "3 4 {roles}", askDemo[string](t, d.world, `SELECT revision_before || ' ' || revision_after || ' ' || changed_fields::text
			FROM event WHERE tenant_id = $1 AND record_id = $2 ORDER BY sequence DESC LIMIT 1`, k1.ID))
	})
	t.Run("BILLING by e-mail needs a primary e-mail address, and nothing is written (G15)", func(t *testing.T) {
		_, err := d.setRoles(t, k2, crm.Write{}, holds("DRIVER"), leads("BILLING"))
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED input.roles[1].roleCode"}, refusals(err))
		require.Empty(t, d.roles(t, k2))
		require.Equal(t, "APPROVER BILLING!", d.roles(t, k3))
		require.EqualValues(t, 1, d.contact(t, k2.NodeID()).Revision)
	})
	t.Run("BILLING otherwise needs none (G15)", func(t *testing.T) {
		portal := d.organization(t, "Portal Harbour")
		require.NoError(t, d.deliver(t, portal, crm.DeliverByPortal))
		k := d.engage(t, portal, d.individual(t, "No mail"))
		_, err := d.setRoles(t, k, at(1), holds("BILLING"))
		require.NoError(t, err)
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED input.invoiceDelivery"}, refusals(d.deliver(t, portal, crm.DeliverByEmail)))
	})
	t.Run("a contact's own delivery overrides its organisation's", func(t *testing.T) {
		_, err := d.store.UpdateContact(d.admin(t), k2.NodeID(), crm.ContactUpdate{InvoiceDelivery: graphql.OmittableOf(new(crm.DeliverByMail))}, crm.Write{})
		require.NoError(t, err)
		_, err = d.setRoles(t, k2, crm.Write{}, holds("BILLING"))
		require.NoError(t, err)
	})
	t.Run("unknown and inactive roles are refused, all of them (G16)", func(t *testing.T) {
		role, err := d.store.Role(d.admin(t), crm.RoleBy{Code: new("TECHNICAL")})
		require.NoError(t, err)
		_, err = d.store.UpdateRole(d.admin(t), role.NodeID(), crm.RoleUpdate{Status: graphql.OmittableOf(new(crm.RoleInactive))}, at(1))
		require.NoError(t, err)
		_, err = d.setRoles(t, k3, crm.Write{}, holds("JANITOR"), holds("DRIVER"), holds("TECHNICAL"), holds("driver"))
		require.Equal(t, []string{
			"INVALID INVALID_ROLE_CODE input.roles[0].roleCode", "INVALID INVALID_ROLE_CODE input.roles[2].roleCode",
			"INVALID INVALID_ROLE_CODE input.roles[3].roleCode",
		}, refusals(err))
	})
	t.Run("the same role twice, or a blank one, is refused", func(t *testing.T) {
		_, err := d.setRoles(t, k3, crm.Write{}, holds("DRIVER"), leads("DRIVER"), holds(""))
		require.Equal(t, []string{"INVALID  input.roles[1].roleCode", "INVALID  input.roles[2].roleCode"}, refusals(err))
	})
	t.Run("the set is complete: what is not in it ends, and none takes a primary's place", func(t *testing.T) {
		_, err := d.setRoles(t, k3, at(2), leads("DRIVER"))
		require.NoError(t, err)
		require.Equal(t, "DRIVER!", d.roles(t, k3))
		require.Equal(t, "BILLING", d.roles(t, k1), "who was primary before is not again")
		require.EqualValues(t, 4, d.contact(t, k1.NodeID()).Revision)
	})
	t.Run("an empty set ends all", func(t *testing.T) {
		_, err := d.setRoles(t, k3, at(3))
		require.NoError(t, err)
		require.Empty(t, d.roles(t, k3))
	})
	t.Run("a role that is taken up again is the same record", func(t *testing.T) {
		id := askDemo[[16]byte](t, d.world, `SELECT h.id FROM contact_role h JOIN role r ON r.tenant_id = h.tenant_id AND r.id = h.role_id
			WHERE h.tenant_id = $1 AND h.contact_id = $2 AND r.code = 'APPROVER' AND h.status = 'INACTIVE'`, k3.ID)
		_, err := d.setRoles(t, k3, at(4), holds("APPROVER"))
		require.NoError(t, err)
		require.Equal(t, "ACTIVE 3", askDemo[string](t, d.world, "SELECT status || ' ' || revision FROM contact_role WHERE tenant_id = $1 AND id = $2", id))
	})
	t.Run("a set that changes nothing still counts", func(t *testing.T) {
		got, err := d.setRoles(t, k3, at(5), holds("APPROVER"))
		require.NoError(t, err)
		require.EqualValues(t, 6, got.Revision)
		require.EqualValues(t, 6, d.contact(t, k3.NodeID()).Revision)
	})
	t.Run("primary in one organisation is not primary in another", func(t *testing.T) {
		other := d.engage(t, d.organization(t, "Other Harbour"), d.individual(t, "Elsewhere"), leads("APPROVER"))
		_, err := d.setRoles(t, k3, at(6), leads("APPROVER"))
		require.NoError(t, err)
		require.Equal(t, "APPROVER!", d.roles(t, other))
	})
	t.Run("the party's revision does not move", func(t *testing.T) {
		require.Equal(t, 1, askDemo[int](t, d.world, "SELECT revision FROM party WHERE tenant_id = $1 AND id = $2", k3.OrganizationID))
	})
	t.Run("a stale set is refused", func(t *testing.T) {
		_, err := d.setRoles(t, k3, at(6), holds("DRIVER"))
		require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
		require.Equal(t, "APPROVER!", d.roles(t, k3))
	})
	t.Run("a contact that ended has no roles to set", func(t *testing.T) {
		_, err := d.store.DeactivateContact(d.admin(t), k3.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = d.setRoles(t, k3, crm.Write{}, holds("DRIVER"))
		require.Equal(t, []string{"CONFLICT INVALID_STATE contactId"}, refusals(err))
	})
	t.Run("making a primary while engaging demotes, too", func(t *testing.T) {
		firm := d.organization(t, "Engage Harbour")
		first := d.engage(t, firm, d.individual(t, "First"), leads("DRIVER"), leads("LOGISTICS"))
		d.engage(t, firm, d.individual(t, "Second"), leads("DRIVER"))
		require.Equal(t, "DRIVER LOGISTICS!", d.roles(t, first))
		require.EqualValues(t, 2, d.contact(t, first.NodeID()).Revision)
	})
}

func TestContactRolesSetOf(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	k1, k2, k3 := d.harbour(t)
	set := func(organization, person string, w crm.Write, roles ...*crm.RoleAssignment) (*crm.Contact, error) {
		return d.store.SetContactRolesOf(d.admin(t), organization, person, crm.RoleSet{Roles: roles}, w)
	}
	firm, lena := crm.Parties.GlobalID(k3.OrganizationID), crm.Parties.GlobalID(k3.PersonID)
	nobody := crm.Parties.GlobalID(k3.ID)
	t.Run("it is SetContactRoles", func(t *testing.T) {
		got, err := set(firm, lena, at(1), holds("APPROVER"), leads(" BILLING "))
		require.NoError(t, err)
		require.Equal(t, k3.ID, got.ID)
		require.EqualValues(t, 2, got.Revision)
		require.Equal(t, "APPROVER BILLING!", d.roles(t, k3))
		require.Equal(t, "BILLING", d.roles(t, k1))
		require.EqualValues(t, 4, d.contact(t, k1.NodeID()).Revision)
	})
	for _, test := range []struct {
		name                 string
		organization, person string
		roles                []*crm.RoleAssignment
		want                 []string
	}{
		{"unknown roles come with all else that is wrong with the input", "x", nobody, []*crm.RoleAssignment{holds("JANITOR"), holds(""), holds("DRIVER"), holds("DRIVER")}, []string{
			"INVALID  organizationId", "INVALID  input.roles[1].roleCode", "INVALID  input.roles[3].roleCode", "INVALID INVALID_ROLE_CODE input.roles[0].roleCode",
		}},
		{"then the organisation is looked for", nobody, nobody, nil, []string{"NOT_FOUND  organizationId"}},
		{"and the person", firm, nobody, nil, []string{"NOT_FOUND  personId"}},
		{"and the engagement", firm, firm, nil, []string{"NOT_FOUND  personId"}},
		{"what the roles ask for comes before the revision", firm, crm.Parties.GlobalID(k2.PersonID), []*crm.RoleAssignment{leads("BILLING")},
			[]string{"INVALID BILLING_EMAIL_REQUIRED input.roles[0].roleCode"}},
		{"the revision is last", firm, lena, []*crm.RoleAssignment{leads("DRIVER")}, []string{"STALE  ifRevision"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := set(test.organization, test.person, at(77), test.roles...)
			require.Equal(t, test.want, refusals(err))
			require.Equal(t, "APPROVER BILLING!", d.roles(t, k3))
		})
	}
	t.Run("a stale revision comes with the contact as it is stored", func(t *testing.T) {
		_, err := set(firm, lena, at(1))
		require.EqualValues(t, 2, problems(err)[0].Current.(*crm.Contact).Revision)
	})
	t.Run("a contact that ended is none", func(t *testing.T) {
		_, err := d.store.DeactivateContact(d.admin(t), k3.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = set(firm, lena, crm.Write{})
		require.Equal(t, []string{"NOT_FOUND  personId"}, refusals(err))
	})
	t.Run("it needs the permission to assign roles", func(t *testing.T) {
		_, err := d.store.SetContactRolesOf(d.lacking(t, crm.ContactRoleAssign), "x", "x", crm.RoleSet{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

func TestContactRoleConcurrency(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	firm := d.organization(t, "Regatta Ltd")
	const crew = 24
	contacts := make([]*crm.Contact, crew)
	for i := range contacts {
		contacts[i] = d.engage(t, firm, d.individual(t, fmt.Sprintf("Sailor %d", i)))
	}
	t.Run("however many become primary at once, one is, and every revision counts a change", func(t *testing.T) {
		errs := atOnce(crew, func(i int) error {
			_, err := d.setRoles(t, contacts[i], crm.Write{}, leads("DRIVER"), leads("OPERATIONS"))
			return err
		})
		require.Equal(t, crew, successes(errs), "%v", errs)
		for _, code := range []string{"DRIVER", "OPERATIONS"} {
			require.Equal(t, 1, askDemo[int](t, d.world, `SELECT count(*) FROM contact_role h JOIN role r ON r.tenant_id = h.tenant_id AND r.id = h.role_id
				WHERE h.tenant_id = $1 AND h.organization_id = $2 AND h.is_primary AND r.code = $3`, firm.ID, code))
		}
		// Everyone made one change and all but the last to come were demoted once.
		require.Equal(t, crew+crew+crew-1, askDemo[int](t, d.world, "SELECT sum(revision)::int FROM contact WHERE tenant_id = $1 AND organization_id = $2", firm.ID))
		require.Zero(t, askDemo[int](t, d.world, `SELECT count(*) FROM contact k WHERE k.tenant_id = $1 AND k.organization_id = $2 AND k.revision <> (
			SELECT count(*) FROM event e WHERE e.tenant_id = k.tenant_id AND e.record_id = k.id)`, firm.ID), "one event for each revision")
	})
	t.Run("one of many who saw the same revision wins", func(t *testing.T) {
		k := d.contact(t, contacts[0].NodeID())
		errs := atOnce(crew, func(i int) error {
			_, err := d.setRoles(t, k, at(k.Revision), holds([]string{"DRIVER", "LOGISTICS"}[i%2]))
			return err
		})
		require.Equal(t, 1, successes(errs))
		for _, err := range errs {
			if err != nil {
				require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
			}
		}
		require.Equal(t, k.Revision+1, d.contact(t, k.NodeID()).Revision)
	})
	t.Run("nobody ends up with BILLING and no e-mail address", func(t *testing.T) {
		for i := range 10 {
			person := d.individual(t, "Racer", fmt.Sprintf("racer%d@regatta.example", i))
			k := d.engage(t, firm, person)
			point := crm.ContactPoints.GlobalID(askDemo[[16]byte](t, d.world, "SELECT id FROM contact_point WHERE tenant_id = $1 AND party_id = $2", person.ID))
			errs := atOnce(2, func(j int) error {
				if j == 0 {
					_, err := d.setRoles(t, k, crm.Write{}, holds("BILLING"))
					return err
				}
				_, err := d.store.RemoveContactPoint(d.admin(t), point, crm.Write{})
				return err
			})
			require.Equal(t, 1, successes(errs), "%v", errs)
		}
	})
	t.Run("nor when the organisation goes over to e-mail at the same time", func(t *testing.T) {
		for i := range 10 {
			portal := d.organization(t, fmt.Sprintf("Portal %d Regatta", i))
			require.NoError(t, d.deliver(t, portal, crm.DeliverByPortal))
			person := d.individual(t, "Racer", fmt.Sprintf("portal%d@regatta.example", i))
			d.engage(t, portal, person, holds("BILLING"))
			point := crm.ContactPoints.GlobalID(askDemo[[16]byte](t, d.world, "SELECT id FROM contact_point WHERE tenant_id = $1 AND party_id = $2", person.ID))
			errs := atOnce(2, func(j int) error {
				if j == 0 {
					return d.deliver(t, portal, crm.DeliverByEmail)
				}
				_, err := d.store.RemoveContactPoint(d.admin(t), point, crm.Write{})
				return err
			})
			require.Equal(t, 1, successes(errs), "%v", errs)
		}
	})
}

func TestHeldRoles(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	firm := d.organization(t, "Held Quay Ltd")
	first := d.engage(t, firm, d.individual(t, "First"), leads("BUYER"), holds("APPROVER"))
	second := d.engage(t, firm, d.individual(t, "Second"), holds("BUYER"))
	held := func(k *crm.Contact, code string) string {
		return crm.ContactRoles.GlobalID(askDemo[[16]byte](t, d.world, `SELECT h.id FROM contact_role h JOIN role r ON r.tenant_id = h.tenant_id AND r.id = h.role_id
			WHERE h.tenant_id = $1 AND h.contact_id = $2 AND r.code = $3`, k.ID, code))
	}
	update := func(id string, in crm.ContactRoleUpdate, w crm.Write) (*crm.ContactRole, error) {
		return d.store.UpdateContactRole(d.admin(t), id, in, w)
	}
	buyer := held(second, "BUYER")
	t.Run("a holder who becomes primary demotes the other", func(t *testing.T) {
		h, err := update(buyer, crm.ContactRoleUpdate{IsPrimary: graphql.OmittableOf(new(true))}, at(1))
		require.NoError(t, err)
		require.EqualValues(t, 2, h.Revision)
		require.Equal(t, "APPROVER BUYER", d.roles(t, first))
		require.EqualValues(t, 2, d.contact(t, first.NodeID()).Revision)
		require.EqualValues(t, 2, d.contact(t, second.NodeID()).Revision)
	})
	t.Run("a held role becomes another and stays the same record", func(t *testing.T) {
		_, err := update(buyer, crm.ContactRoleUpdate{RoleCode: graphql.OmittableOf(new("PAYER"))}, at(2))
		require.NoError(t, err)
		require.Equal(t, "PAYER!", d.roles(t, second))
		require.Equal(t, buyer, held(second, "PAYER"))
	})
	t.Run("it cannot become one that the contact has", func(t *testing.T) {
		_, err := update(held(first, "BUYER"), crm.ContactRoleUpdate{RoleCode: graphql.OmittableOf(new("APPROVER"))}, crm.Write{})
		require.Equal(t, []string{"CONFLICT ROLE_HELD input.roleCode"}, refusals(err))
	})
	t.Run("nor one that there is not, nor BILLING without an address", func(t *testing.T) {
		_, err := update(buyer, crm.ContactRoleUpdate{RoleCode: graphql.OmittableOf(new("JANITOR"))}, crm.Write{})
		require.Equal(t, []string{"INVALID INVALID_ROLE_CODE input.roleCode"}, refusals(err))
		_, err = update(buyer, crm.ContactRoleUpdate{RoleCode: graphql.OmittableOf(new("BILLING"))}, crm.Write{})
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED input.roleCode"}, refusals(err))
	})
	t.Run("a role that ends is primary no more and can be taken up again", func(t *testing.T) {
		h, err := d.store.ChangeContactRoleStatus(d.admin(t), buyer, crm.ContactInactive, at(3))
		require.NoError(t, err)
		require.False(t, h.IsPrimary)
		require.Empty(t, d.roles(t, second))
		_, err = update(buyer, crm.ContactRoleUpdate{IsPrimary: graphql.OmittableOf(new(true))}, crm.Write{})
		require.Equal(t, []string{"CONFLICT INVALID_STATE input.isPrimary"}, refusals(err))
		_, err = d.store.ChangeContactRoleStatus(d.admin(t), buyer, crm.ContactActive, at(4))
		require.NoError(t, err)
		require.Equal(t, "PAYER", d.roles(t, second))
	})
	t.Run("a stale revision is refused", func(t *testing.T) {
		_, err := d.store.ChangeContactRoleStatus(d.admin(t), buyer, crm.ContactInactive, at(1))
		require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
	})
	t.Run("nobody takes up a role that is given no more", func(t *testing.T) {
		_, err := d.store.ChangeContactRoleStatus(d.admin(t), buyer, crm.ContactInactive, at(5))
		require.NoError(t, err)
		role, err := d.store.Role(d.admin(t), crm.RoleBy{Code: new("PAYER")})
		require.NoError(t, err)
		_, err = d.store.UpdateRole(d.admin(t), role.NodeID(), crm.RoleUpdate{Status: graphql.OmittableOf(new(crm.RoleInactive))}, at(1))
		require.NoError(t, err)
		_, err = d.store.ChangeContactRoleStatus(d.admin(t), buyer, crm.ContactActive, at(6))
		require.Equal(t, []string{"CONFLICT INVALID_STATE status"}, refusals(err))
	})
}
