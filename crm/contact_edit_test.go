package crm_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// frontDesk acts on the contacts of the demo tenant.
type frontDesk struct{ *world }

func openDesk(t *testing.T) *frontDesk {
	t.Helper()
	w := newWorld(t)
	w.store = w.wide(t)
	return &frontDesk{w}
}

func (d *frontDesk) engage(t *testing.T, organization, person *crm.Party, roles ...*crm.RoleAssignment) *crm.Contact {
	t.Helper()
	k, err := d.store.CreateContact(d.admin(t), organization.NodeID(), crm.NewContact{PersonID: new(person.NodeID()), Roles: roles}, crm.Write{})
	require.NoError(t, err)
	return k
}

func (d *frontDesk) contact(t *testing.T, id string) *crm.Contact {
	t.Helper()
	k, err := d.store.Contact(d.admin(t), crm.ContactBy{ID: &id})
	require.NoError(t, err)
	return k
}

func (d *frontDesk) propagate(t *testing.T, to crm.ContactPropagation) {
	t.Helper()
	d.settings(t, crm.TenantSettingsUpdate{ContactPropagation: graphql.OmittableOf(&to)})
}

// deliver says how invoices reach an organisation.
func (d *frontDesk) deliver(t *testing.T, organization *crm.Party, how crm.InvoiceDelivery) error {
	t.Helper()
	_, err := d.store.UpdateAccount(d.admin(t), crm.Accounts.GlobalID(organization.ID),
		crm.AccountUpdate{InvoiceDelivery: graphql.OmittableOf(&how)}, crm.Write{})
	return err
}

func holds(code string) *crm.RoleAssignment { return &crm.RoleAssignment{RoleCode: code} }
func leads(code string) *crm.RoleAssignment {
	return &crm.RoleAssignment{RoleCode: code, IsPrimary: true}
}

func TestContactCreate(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	firm := d.organization(t, "Quill Harbour Ltd")
	create := func(organization string, in crm.NewContact) (*crm.Contact, error) {
		return d.store.CreateContact(d.admin(t), organization, in, crm.Write{})
	}
	t.Run("a person and the engagement are made together", func(t *testing.T) {
		k, err := create(firm.NodeID(), crm.NewContact{
			Person: &crm.IndividualCreate{FirstName: new("Priya"), LastName: new("Raman"), Email: new("priya@quill.example")},
			Key:    new("quill-1"), Title: new(" Fleet manager "), IsPrimary: true, Roles: []*crm.RoleAssignment{leads("BILLING"), holds("APPROVER")},
		})
		require.NoError(t, err)
		require.Equal(t, "quill-1", k.Key)
		require.Equal(t, "Fleet manager", *k.Title)
		require.True(t, k.IsPrimary)
		require.Equal(t, crm.ContactActive, k.Status)
		require.EqualValues(t, 1, k.Revision)
		require.Equal(t, "Priya Raman", askDemo[string](t, d.world, "SELECT display_name FROM party WHERE tenant_id = $1 AND id = $2", k.PersonID))
		require.Equal(t, "APPROVER BILLING!", d.roles(t, k))
		require.Equal(t, []string{"CONTACT_CREATED"}, d.events(t, k.NodeID()))
	})
	t.Run("a person is a contact of an organisation once", func(t *testing.T) {
		person := d.individual(t, "Once")
		first := d.engage(t, firm, person)
		_, err := create(firm.NodeID(), crm.NewContact{PersonID: new(person.NodeID())})
		require.Equal(t, []string{"CONFLICT CONTACT_EXISTS input.personId"}, refusals(err))
		e, _ := errors.AsType[*crm.Error](err)
		require.Equal(t, first.NodeID(), e.Related)
	})
	t.Run("one of many who engage the same person at the same time succeeds", func(t *testing.T) {
		person := d.individual(t, "Crowded")
		errs := atOnce(20, func(int) error {
			_, err := create(firm.NodeID(), crm.NewContact{PersonID: new(person.NodeID())})
			return err
		})
		require.Equal(t, 1, successes(errs))
		for _, err := range errs {
			if err != nil {
				require.Equal(t, []string{"CONFLICT CONTACT_EXISTS input.personId"}, refusals(err))
			}
		}
	})
	t.Run("an engagement that ended is taken up again", func(t *testing.T) {
		k := d.engage(t, firm, d.individual(t, "Returning", "r@quill.example"), holds("DRIVER"), holds("BILLING"))
		_, err := d.store.DeactivateContact(d.admin(t), k.NodeID(), at(1))
		require.NoError(t, err)
		back, err := create(firm.NodeID(), crm.NewContact{PersonID: new(crm.Parties.GlobalID(k.PersonID)), Title: new("Back"), Roles: []*crm.RoleAssignment{holds("DRIVER")}})
		require.NoError(t, err)
		require.Equal(t, k.ID, back.ID)
		require.Equal(t, k.Key, back.Key)
		require.Equal(t, crm.ContactActive, back.Status)
		require.EqualValues(t, 3, back.Revision)
		require.Equal(t, "DRIVER", d.roles(t, back))
		require.Equal(t, []string{"CONTACT_CREATED", "CONTACT_DEACTIVATED", "CONTACT_REACTIVATED"}, d.events(t, k.NodeID()))
	})
	t.Run("everything that is wrong with the input is told at once, at its place", func(t *testing.T) {
		_, err := create("pty_1", crm.NewContact{
			PersonID: new("x"), Person: &crm.IndividualCreate{Email: new("no"), CountryCode: new("XX")},
			Key: new("a b"), Roles: []*crm.RoleAssignment{holds(" "), holds("DRIVER"), holds("DRIVER")},
		})
		require.Equal(t, []string{
			"INVALID  organizationId", "INVALID  input.personId", "INVALID  input.personId", "INVALID  input.person.lastName",
			"INVALID  input.person.email", "INVALID  input.person.countryCode", "INVALID  input.key",
			"INVALID  input.roles[0].roleCode", "INVALID  input.roles[2].roleCode",
		}, refusals(err))
	})
	t.Run("neither an old nor a new person is no contact", func(t *testing.T) {
		_, err := create(firm.NodeID(), crm.NewContact{})
		require.Equal(t, []string{"INVALID  input.personId"}, refusals(err))
	})
	t.Run("all broken references are told", func(t *testing.T) {
		gone := "pty_00000000-0000-7000-8000-000000000000"
		_, err := create(gone, crm.NewContact{PersonID: &gone})
		require.Equal(t, []string{"NOT_FOUND  organizationId", "NOT_FOUND  input.personId"}, refusals(err))
	})
	t.Run("only persons are contacts, of organisations only", func(t *testing.T) {
		person := d.individual(t, "Mixed up")
		_, err := create(person.NodeID(), crm.NewContact{PersonID: new(firm.NodeID())})
		require.Equal(t, []string{"INVALID  organizationId", "INVALID  input.personId"}, refusals(err))
		_, err = create(firm.NodeID(), crm.NewContact{PersonID: new(firm.NodeID())})
		require.Equal(t, []string{"INVALID  input.personId"}, refusals(err))
	})
	t.Run("what was merged or deactivated takes nobody and goes nowhere", func(t *testing.T) {
		merged := crm.Parties.GlobalID(askDemo[[16]byte](t, d.world, "SELECT id FROM party WHERE tenant_id = $1 AND status = 'MERGED' AND kind = 'INDIVIDUAL' LIMIT 1"))
		_, err := create(firm.NodeID(), crm.NewContact{PersonID: &merged})
		require.Equal(t, []string{"CONFLICT PARTY_MERGED input.personId"}, refusals(err))
		closed := d.organization(t, "Closed Quay Ltd")
		_, err = d.store.DeactivateParty(d.admin(t), closed.NodeID(), at(1))
		require.NoError(t, err)
		_, err = create(closed.NodeID(), crm.NewContact{PersonID: new(d.individual(t, "Late").NodeID())})
		require.Equal(t, []string{"CONFLICT INVALID_STATE organizationId"}, refusals(err))
	})
	t.Run("a taken key of the person and one of the contact are told apart", func(t *testing.T) {
		_, err := create(firm.NodeID(), crm.NewContact{Person: &crm.IndividualCreate{LastName: new("Key"), Key: new("northwind-holding")}})
		require.Equal(t, []string{"CONFLICT KEY_IN_USE input.person.key"}, refusals(err))
		_, err = create(firm.NodeID(), crm.NewContact{Person: &crm.IndividualCreate{LastName: new("Unkept")}, Key: new("northwind-contact-1")})
		require.Equal(t, []string{"CONFLICT KEY_IN_USE input.key"}, refusals(err))
		require.Zero(t, askDemo[int](t, d.world, "SELECT count(*) FROM party WHERE tenant_id = $1 AND last_name = 'Unkept'"), "nothing is half done")
	})
	t.Run("a new person and roles need their own permissions", func(t *testing.T) {
		person, roles := &crm.IndividualCreate{LastName: new("X")}, []*crm.RoleAssignment{holds("DRIVER")}
		for _, c := range []struct {
			has  []crm.Permission
			in   crm.NewContact
			want crm.Code
		}{
			{nil, crm.NewContact{PersonID: new(d.individual(t, "A").NodeID())}, crm.Forbidden},
			{[]crm.Permission{crm.ContactCreate}, crm.NewContact{Person: person}, crm.Forbidden},
			{[]crm.Permission{crm.ContactCreate}, crm.NewContact{PersonID: new(d.individual(t, "B").NodeID()), Roles: roles}, crm.Forbidden},
			{[]crm.Permission{crm.ContactCreate}, crm.NewContact{PersonID: new(d.individual(t, "C").NodeID())}, ""},
			{[]crm.Permission{crm.ContactCreate, crm.PartyCreate, crm.ContactRoleAssign}, crm.NewContact{Person: person, Roles: roles}, ""},
		} {
			ctx, _ := crmtest.With(t, d.store, "demo", c.has...)
			_, err := d.store.CreateContact(ctx, firm.NodeID(), c.in, crm.Write{})
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, c.want, crm.CodeOf(err))
			}
		}
	})
	t.Run("a key makes it happen once", func(t *testing.T) {
		w, in := crm.Write{IdempotencyKey: new("engage once")}, crm.NewContact{Person: &crm.IndividualCreate{LastName: new("Twice")}}
		var first *crm.Contact
		for range 3 {
			k, err := d.store.CreateContact(d.admin(t), firm.NodeID(), in, w)
			require.NoError(t, err)
			if first == nil {
				first = k
			}
			require.Equal(t, first, k)
		}
	})
}

func TestContactUpdate(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	firm := d.organization(t, "Penrose Works Ltd")
	require.NoError(t, d.deliver(t, firm, crm.DeliverByPortal))
	k := d.engage(t, firm, d.individual(t, "Phone only"), holds("BILLING"))
	update := func(in crm.ContactUpdate, w crm.Write) (*crm.Contact, error) {
		return d.store.UpdateContact(d.admin(t), k.NodeID(), in, w)
	}
	t.Run("what is left out stays and null clears", func(t *testing.T) {
		_, err := update(crm.ContactUpdate{Title: graphql.OmittableOf(new("Clerk")), InvoiceDelivery: graphql.OmittableOf(new(crm.DeliverByMail))}, at(1))
		require.NoError(t, err)
		_, err = update(crm.ContactUpdate{Key: graphql.OmittableOf(new("penrose")), IsPrimary: graphql.OmittableOf(new(true))}, at(2))
		require.NoError(t, err)
		got, err := update(crm.ContactUpdate{InvoiceDelivery: graphql.OmittableOf[*crm.InvoiceDelivery](nil)}, at(3))
		require.NoError(t, err)
		require.Equal(t, "Clerk", *got.Title)
		require.Equal(t, "penrose", got.Key)
		require.True(t, got.IsPrimary)
		require.Nil(t, got.InvoiceDelivery)
		require.EqualValues(t, 4, got.Revision)
	})
	t.Run("invoices by e-mail need a primary address of who holds BILLING", func(t *testing.T) {
		_, err := update(crm.ContactUpdate{InvoiceDelivery: graphql.OmittableOf(new(crm.DeliverByEmailAndMail))}, crm.Write{})
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED input.invoiceDelivery"}, refusals(err))
		require.EqualValues(t, 4, d.contact(t, k.NodeID()).Revision, "nothing is written")
	})
	t.Run("a revision that was not seen is STALE, with the contact as it is", func(t *testing.T) {
		_, err := update(crm.ContactUpdate{Title: graphql.OmittableOf(new("Too late"))}, at(1))
		require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
		e, _ := errors.AsType[*crm.Error](err)
		require.EqualValues(t, 4, e.Current.(*crm.Contact).Revision)
	})
	t.Run("a change that changes nothing counts", func(t *testing.T) {
		got, err := update(crm.ContactUpdate{}, at(4))
		require.NoError(t, err)
		require.EqualValues(t, 5, got.Revision)
	})
	t.Run("what cannot be cleared is not", func(t *testing.T) {
		_, err := update(crm.ContactUpdate{Key: graphql.OmittableOf[*string](nil), IsPrimary: graphql.OmittableOf[*bool](nil)}, crm.Write{})
		require.Equal(t, []string{"INVALID  input.key", "INVALID  input.isPrimary"}, refusals(err))
	})
	t.Run("an engagement that ended does not change", func(t *testing.T) {
		d.engage(t, firm, d.individual(t, "Stays"))
		_, err := d.store.DeactivateContact(d.admin(t), k.NodeID(), at(5))
		require.NoError(t, err)
		_, err = update(crm.ContactUpdate{Title: graphql.OmittableOf(new("Ghost"))}, at(6))
		require.Equal(t, []string{"CONFLICT INVALID_STATE id"}, refusals(err))
	})
	t.Run("it can be taken up again, without its roles", func(t *testing.T) {
		got, err := d.store.ReactivateContact(d.admin(t), k.NodeID(), at(6))
		require.NoError(t, err)
		require.Equal(t, crm.ContactActive, got.Status)
		require.Empty(t, d.roles(t, got))
		_, err = d.store.ReactivateContact(d.admin(t), k.NodeID(), at(7))
		require.Equal(t, []string{"CONFLICT INVALID_STATE id"}, refusals(err))
	})
	t.Run("nobody's contact is not found", func(t *testing.T) {
		gone := "con_00000000-0000-7000-8000-000000000000"
		_, err := d.store.UpdateContact(d.admin(t), gone, crm.ContactUpdate{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
		acme, _ := crmtest.As(t, d.store, "acme", "admin")
		_, err = d.store.UpdateContact(acme, k.NodeID(), crm.ContactUpdate{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err), "another tenant's")
	})
}

func TestLastContact(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	active := func(p *crm.Party) *bool {
		has, err := crm.HasActiveContact(d.admin(t), p)
		require.NoError(t, err)
		return has
	}
	t.Run("an organisation keeps its last active contact", func(t *testing.T) {
		firm := d.organization(t, "Lonely Mill Ltd")
		require.False(t, *active(firm))
		k := d.engage(t, firm, d.individual(t, "Last"))
		require.True(t, *active(firm))
		_, err := d.store.DeactivateContact(d.admin(t), k.NodeID(), at(1))
		require.Equal(t, []string{"CONFLICT LAST_CONTACT id"}, refusals(err))
		require.Equal(t, crm.ContactActive, d.contact(t, k.NodeID()).Status)
	})
	t.Run("a person has no contacts to speak of", func(t *testing.T) {
		require.Nil(t, active(d.individual(t, "Private")))
	})
	t.Run("roles end with the engagement", func(t *testing.T) {
		firm := d.organization(t, "Twin Mill Ltd")
		k := d.engage(t, firm, d.individual(t, "Leaves"), leads("DRIVER"))
		d.engage(t, firm, d.individual(t, "Stays"))
		ended, err := d.store.DeactivateContact(d.admin(t), k.NodeID(), at(1))
		require.NoError(t, err)
		require.Equal(t, crm.ContactInactive, ended.Status)
		require.Empty(t, d.roles(t, k))
		require.Zero(t, askDemo[int](t, d.world, "SELECT count(*) FROM contact_role WHERE tenant_id = $1 AND contact_id = $2 AND (is_primary OR revision <> 2)", k.ID))
	})
	t.Run("of all contacts that are removed at once one stays", func(t *testing.T) {
		const crew = 20
		firm := d.organization(t, "Crowded Mill Ltd")
		var contacts []*crm.Contact
		for i := range crew {
			contacts = append(contacts, d.engage(t, firm, d.individual(t, fmt.Sprintf("Hand %d", i))))
		}
		errs := atOnce(crew, func(i int) error {
			_, err := d.store.DeactivateContact(d.admin(t), contacts[i].NodeID(), at(1))
			return err
		})
		require.Equal(t, crew-1, successes(errs))
		for _, err := range errs {
			if err != nil {
				require.Equal(t, []string{"CONFLICT LAST_CONTACT id"}, refusals(err))
			}
		}
		require.Equal(t, 1, askDemo[int](t, d.world, "SELECT count(*) FROM contact WHERE tenant_id = $1 AND organization_id = $2 AND status = 'ACTIVE'", firm.ID))
	})
}

// roles are the codes of the roles that a contact holds, primary ones marked.
func (d *frontDesk) roles(t *testing.T, k *crm.Contact) string {
	t.Helper()
	return askDemo[string](t, d.world, `SELECT coalesce(string_agg(r.code || CASE WHEN h.is_primary THEN '!' ELSE '' END, ' ' ORDER BY r.code), '')
		FROM contact_role h JOIN role r ON r.tenant_id = h.tenant_id AND r.id = h.role_id
		WHERE h.tenant_id = $1 AND h.contact_id = $2 AND h.status = 'ACTIVE'`, k.ID)
}
