package seed

import (
	"fmt"

	"crmgraph/crm"
)

// business makes an organisation a customer with an account.
func (d *demo) business(p resident, kind crm.CustomerType) patron {
	d.used[p.DisplayName] = true
	d.reach(p, crm.PointWork)
	b := patron{p, d.customer(p, kind)}
	d.account(p)
	d.firms = append(d.firms, b)
	return b
}

// organizations makes the other organisations: authorities, groups, fleets, plain firms.
func (d *demo) organizations() {
	for _, office := range []struct{ language, name string }{
		{"de-DE", "Stadtwerke Lübeck"}, {"fr-FR", "Mairie d'Évry"}, {"it-IT", "Comune di Forlì"},
		{"nl-NL", "Gemeente Zwolle"}, {"sv-SE", "Malmö Kommun"}, {"en-US", "City of Springfield Public Works"},
	} {
		home := d.country(office.language)
		d.staff(d.business(d.organization(home, office.name, "", d.opening()), crm.CustomerGovernment), d.within(1, 4))
	}
	for i := 0; len(d.firms) < demoFirms-2; i++ { // two are merged
		firm := d.business(d.trader(), crm.CustomerCommercial)
		staff := d.staff(firm, d.within(1, 6))
		switch {
		case i < demoFleets-1:
			d.fleet(firm, staff, d.within(10, 40), fmt.Sprintf("F%d", i+1))
		case i%8 == 4:
			d.subsidiaries(firm)
		case i%12 == 5:
			d.settle(firm, crm.PartyInactive, crm.CustomerInactive)
			d.accounts[len(d.accounts)-1].Status = crm.AccountInactive
		case i%12 == 7:
			d.settle(firm, crm.PartyPending, crm.CustomerActive)
		case i%12 == 9:
			d.settle(firm, crm.PartySuspended, crm.CustomerActive)
		}
	}
	for _, firm := range d.firms[10:12] {
		p := d.organization(firm.home, capitals(*firm.TradingName), "", d.between(firm.CreatedAt, d.today))
		d.merge(p, firm, crm.CustomerCommercial)
	}
}

// trader makes a firm with a name of its own.
func (d *demo) trader() resident {
	home := pick(d.generator, d.places)
	legal, trading := d.firmName(home)
	for d.used[legal] {
		legal, trading = d.firmName(home)
	}
	return d.organization(home, legal, trading, d.moment(len(d.firms), demoFirms))
}

// subsidiaries makes a firm the parent of one to three others.
func (d *demo) subsidiaries(parent patron) {
	for range min(d.within(1, 3), demoFirms-2-len(d.firms)) {
		p := d.business(d.trader(), crm.CustomerCommercial)
		p.ParentID = &parent.ID
		d.staff(p, d.within(1, 3))
	}
}

// staff fills the first posts of a firm, now and then with a private customer.
func (d *demo) staff(firm patron, count int) *desk {
	staff := d.desk(firm.resident)
	for i, post := range posts()[:count] {
		if i > 0 && d.chance(25) {
			// Distinct for each post: nobody is engaged twice by a firm.
			stride := len(d.people) / count
			staff.engage(d.people[i*stride+d.rng.IntN(stride)].resident, post.title, post.roles...)
			continue
		}
		staff.engage(d.employee(firm), post.title, post.roles...)
	}
	return staff
}

// employee makes a person who is no customer.
func (d *demo) employee(firm patron) resident {
	p := d.somebody(firm.home, d.between(firm.CreatedAt, d.today))
	d.reach(p, crm.PointWork)
	return p
}

// fleet gives a firm numbered vehicles and people who drive them.
func (d *demo) fleet(firm patron, staff *desk, size int, prefix string) {
	var driver resident
	for i := range size {
		v := d.vehicle(pick(d.generator, d.vans), firm.home)
		unit := fmt.Sprintf("%s-%03d", prefix, i+1)
		v.UnitNumber = &unit
		since := d.owned(v, firm.resident)
		if d.chance(60) {
			d.insure(v, firm.ID, since, d.within(1, 2))
		}
		if i%3 != 1 { // every third vehicle has the driver of the one before
			driver = d.employee(firm)
			staff.engage(driver, "Driver", "DRIVER")
		}
		d.associate(v, driver, crm.PrimaryDriver, d.between(since, d.today))
	}
}
