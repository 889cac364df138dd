package seed

import (
	"time"

	"github.com/google/uuid"

	"crmgraph/crm"
)

// How many customers of the demo tenant have a counterpart, with how many vehicles at most.
const (
	acmeIndividuals = 16
	acmeFirms       = 4
	acmeVehicles    = 3
)

// acme makes a tenant that shares with the demo tenant whatever two tenants can share:
// numbers, codes, keys, e-mail addresses, VINs, plates and serial numbers. Only ids and
// names are its own, so that a record seen in the wrong tenant is noticed.
type acme struct {
	*generator
	people []resident

	// Of the demo tenant, by the party's id.
	parties  map[uuid.UUID]*crm.Party
	emails   map[uuid.UUID]string
	garages  map[uuid.UUID][]*crm.Vehicle
	contacts map[uuid.UUID][]*crm.Contact
}

// acmeTenant makes all rows of the tenant "acme", the counterparts of some rows of demo.
func acmeTenant(today time.Time, demo *batch) *batch {
	a := &acme{generator: newGenerator("acme", "Acme Fleet Services", today)}
	a.read(demo)
	individuals, firms := 0, 0
	for _, c := range demo.customers {
		switch original := a.parties[c.ID]; {
		case original.Kind == crm.Individual && individuals < acmeIndividuals:
			individuals++
			a.individual(c, original)
		case original.Kind == crm.Organization && firms < acmeFirms:
			firms++
			a.firm(c, original)
		}
	}
	for _, c := range demo.counters { // vehicles were not met in the order of their numbers
		a.numbers[c.Name] = c.LastValue
	}
	a.giftCards()
	a.count()
	return a.take()
}

// read sorts the demo tenant's rows by party.
func (a *acme) read(demo *batch) {
	a.parties, a.emails = map[uuid.UUID]*crm.Party{}, map[uuid.UUID]string{}
	a.garages, a.contacts = map[uuid.UUID][]*crm.Vehicle{}, map[uuid.UUID][]*crm.Contact{}
	for _, p := range demo.parties {
		a.parties[p.ID] = p
	}
	for _, i := range demo.identifiers {
		if i.Kind == crm.IdentifierEmail && i.IsClaim {
			a.emails[i.PartyID] = i.Value
		}
	}
	vehicles := map[uuid.UUID]*crm.Vehicle{}
	for _, v := range demo.vehicles {
		vehicles[v.ID] = v
	}
	for _, o := range demo.associations {
		if o.Kind == crm.Owner && o.EffectiveTo == nil && len(a.garages[o.PartyID]) < acmeVehicles {
			a.garages[o.PartyID] = append(a.garages[o.PartyID], vehicles[o.VehicleID])
		}
	}
	for _, c := range demo.contacts {
		a.contacts[c.OrganizationID] = append(a.contacts[c.OrganizationID], c)
	}
}

// individual makes the counterpart of a person, who collects points.
func (a *acme) individual(c *crm.Customer, original *crm.Party) {
	home := a.country(*original.Language)
	first, last := a.firstName(home), a.lastName(home)
	if c.Number == beforeFirstCustomer+1 {
		first, last = "Viktor", "Sandoval"
	}
	a.numbers[partyNumber] = original.Number - 1
	p := a.person(home, first, last, original.CreatedAt)
	a.people = append(a.people, p)
	counterpart := a.complete(p, c, original)
	a.openLedger(counterpart, &home.currency, p.CreatedAt).live(a.within(3, 8))
}

// firm makes the counterpart of an organisation, with some contacts.
func (a *acme) firm(c *crm.Customer, original *crm.Party) {
	home := a.country(*original.Language)
	legal, trading := a.firmName(home)
	a.numbers[partyNumber] = original.Number - 1
	p := a.organization(home, legal, trading, original.CreatedAt)
	a.complete(p, c, original)
	a.account(p)
	desk := a.desk(p)
	for i, post := range posts()[:min(3, len(a.contacts[original.ID]))] {
		desk.engage(a.people[i], post.title, post.roles...).Key = a.contacts[original.ID][i].Key
	}
}

// complete gives a counterpart what its original is known by, and its vehicles.
func (a *acme) complete(p resident, c *crm.Customer, original *crm.Party) *crm.Customer {
	p.Key = original.Key
	a.numbers[customerNumber] = c.Number - 1
	counterpart := a.customer(p, c.Type)
	if address, ok := a.emails[original.ID]; ok {
		a.email(p, crm.PointWork, address, true)
	}
	a.phone(p, crm.PointMobile, a.fill(pick(a.generator, p.home.mobile)), true)
	for _, v := range a.garages[original.ID] {
		twin := *v
		twin.Row = a.row()
		a.vehicles = append(a.vehicles, &twin)
		a.insure(&twin, p.ID, a.owned(&twin, p), 1)
	}
	return counterpart
}
