package seed

import (
	"fmt"
	"strings"
	"time"

	"crmgraph/crm"
)

// How much there is in the demo tenant.
const (
	demoIndividuals = 240
	demoFirms       = 60
	demoHouseholds  = 20
	demoFleets      = 5 // with Northwind's
)

// patron is a party that is a customer.
type patron struct {
	resident
	customer *crm.Customer
}

// demo makes the demo tenant.
type demo struct {
	*generator
	used   map[string]bool // e-mail addresses and names of firms
	people []patron        // who can buy, Amelia Hartmann first
	firms  []patron        // those too, Northwind Logistics first
	garage []*crm.Vehicle  // private vehicles
}

// demoTenant makes all rows of the tenant "demo".
func demoTenant(today time.Time) *batch {
	d := &demo{generator: newGenerator("demo", "Demo Motors", today), used: map[string]bool{}}
	d.amelia()
	for range demoHouseholds {
		d.household()
	}
	d.singles()
	d.ameliaGarage()
	for _, p := range d.people[1:] {
		d.park(p)
	}
	d.strays()
	d.ameliaPoints()
	for _, p := range d.people[1:] {
		if d.chance(72) {
			d.openLedger(p.customer, &p.home.currency, p.CreatedAt).live(d.within(3, 25))
		}
	}
	d.northwind()
	d.organizations()
	d.giftCards()
	d.count()
	return d.take()
}

// unused returns the first of a name, the name 2, the name 3 … that was not used before.
func (d *demo) unused(name string, numbered func(n int) string) string {
	for n := 2; d.used[name]; n++ {
		name = numbered(n)
	}
	d.used[name] = true
	return name
}

// address makes an e-mail address of its own for a name.
func (d *demo) address(name string) string {
	box, domain := mailbox(name), pick(d.generator, []string{"example.com", "example.org", "example.net"})
	return d.unused(box+"@"+domain, func(n int) string { return fmt.Sprintf("%s%d@%s", box, n, domain) })
}

// reach gives a party ways to be reached and known by.
func (d *demo) reach(p resident, label crm.ContactPointLabel) {
	if d.chance(94) {
		d.email(p, label, d.address(p.DisplayName), true)
	}
	d.phone(p, crm.PointMobile, d.fill(pick(d.generator, p.home.mobile)), true)
	if d.chance(35) {
		d.phone(p, label, d.fill(pick(d.generator, p.home.phone)), false)
	}
	if d.chance(30) {
		reference := d.fill("K-######")
		d.identify(p, crm.IdentifierExternal, pick(d.generator, []string{"dms", "erp", "webshop"}), reference, true)
	}
}

// newcomer makes a person a private customer.
func (d *demo) newcomer(p resident) patron {
	n := patron{p, d.customer(p, crm.CustomerPrivate)}
	d.people = append(d.people, n)
	return n
}

// next is when the next of the individual customers came.
func (d *demo) next() time.Time { return d.moment(len(d.customers), demoIndividuals) }

// household makes a family: one name, one telephone at home, and one car that one of them
// owns and another drives.
func (d *demo) household() {
	home := pick(d.generator, d.places)
	name, line := d.lastName(home), d.fill(pick(d.generator, home.phone))
	var family []patron
	for range d.within(2, 4) {
		p := d.person(home, d.firstName(home), name, d.next())
		d.email(p, crm.PointHome, d.address(p.DisplayName), true)
		d.phone(p, crm.PointHome, line, true)
		family = append(family, d.newcomer(p))
	}
	car := d.vehicle(pick(d.generator, d.cars), home)
	since := d.owned(car, family[0].resident)
	d.associate(car, family[1].resident, crm.PrimaryDriver, since)
	d.insure(car, family[0].ID, since, d.within(0, 2))
}

// singles makes the other individual customers, of every status.
func (d *demo) singles() {
	for i := 0; len(d.customers) < demoIndividuals; i++ {
		switch i % 40 {
		case 10:
			d.duplicate(d.people[len(d.people)-1])
			continue
		case 20:
			d.forgotten()
			continue
		}
		p := d.somebody(pick(d.generator, d.places), d.next())
		d.reach(p, crm.PointHome)
		n := d.newcomer(p)
		switch {
		case i%30 == 15:
			d.settle(n, crm.PartyInactive, crm.CustomerInactive)
		case i%45 == 25:
			d.settle(n, crm.PartySuspended, crm.CustomerActive)
		case i%35 == 5:
			d.settle(n, crm.PartyPending, crm.CustomerActive)
		}
	}
}

// settle changes the status of a customer, at some time since it came.
func (d *demo) settle(p patron, party crm.PartyStatus, customer crm.CustomerStatus) {
	at := d.between(p.CreatedAt, d.today)
	p.Status, p.UpdatedAt, p.Revision = party, at, 2
	p.customer.Status, p.customer.UpdatedAt, p.customer.Revision = customer, at, 2
	for _, a := range d.accounts {
		if a.ID == p.ID {
			a.UpdatedAt, a.Revision = at, 2
		}
	}
}

// capitals spells a name as old machines did.
func capitals(name string) string { return strings.ToUpper(crm.NormaliseName(name)) }

// duplicate makes a second record of a customer that has since been merged into the first.
func (d *demo) duplicate(of patron) {
	p := d.person(of.home, capitals(*of.FirstName), capitals(*of.LastName), d.next())
	p.BirthDate = of.BirthDate
	d.merge(p, of, crm.CustomerPrivate)
}

// merge makes a party a customer that was then merged into another.
func (d *demo) merge(p resident, into patron, kind crm.CustomerType) {
	d.phone(p, crm.PointMobile, d.fill(pick(d.generator, p.home.mobile)), true)
	p.MergedIntoID = &into.ID
	d.settle(patron{p, d.customer(p, kind)}, crm.PartyMerged, crm.CustomerMerged)
}

// forgotten makes a customer of whom only the numbers are left.
func (d *demo) forgotten() {
	p := d.somebody(pick(d.generator, d.places), d.next())
	redacted := crm.Redacted
	p.FirstName, p.LastName, p.BirthDate, p.AnonymizedAt = &redacted, &redacted, nil, &p.UpdatedAt
	d.settle(patron{p, d.customer(p, crm.CustomerPrivate)}, crm.PartyAnonymized, crm.CustomerAnonymized)
}
