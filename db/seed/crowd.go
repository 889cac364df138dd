package seed

import (
	"fmt"

	"crmgraph/crm"
)

// Every tenth customer of a crowd is a firm, and a firm engages so many of the persons
// beside it: about two contacts per customer.
const (
	firmEvery    = 10
	firmContacts = 20
)

// crowd makes n customers of total, those after the first made ones.
func (g *generator) crowd(made, n, total int) {
	var people, firms []resident
	for i := made; i < made+n; i++ {
		home, at := pick(g, g.places), g.moment(i, total)
		if (i+1)%firmEvery == 0 {
			legal, trading := g.firmName(home)
			p := g.organization(home, legal, trading, at)
			g.account(p)
			g.equip(p, crm.CustomerCommercial)
			firms = append(firms, p)
		} else {
			p := g.person(home, g.fake.FirstName(), g.surname(home), at)
			g.equip(p, crm.CustomerPrivate)
			people = append(people, p)
		}
	}
	for _, firm := range firms {
		g.engageSome(firm, people)
	}
}

// surname mixes the names of a country with common English ones, plain and joined, so
// that names are as varied as in a large directory.
func (g *generator) surname(home *locale) string {
	switch dice := g.rng.IntN(10); {
	case dice < 4:
		return g.lastName(home)
	case dice < 9:
		return g.fake.LastName()
	default:
		return g.fake.LastName() + "-" + g.lastName(home)
	}
}

// equip makes the party a customer with all that a customer can have.
func (g *generator) equip(p resident, kind crm.CustomerType) {
	c := g.customer(p, kind)
	g.email(p, crm.PointOther, fmt.Sprintf("%s.%d@example.com", mailbox(p.DisplayName), c.Number), true)
	g.phone(p, crm.PointMobile, g.fill(pick(g, p.home.mobile)), true)
	for range g.within(1, 3) {
		v := g.vehicle(pick(g, g.cars), p.home)
		g.insure(v, p.ID, g.owned(v, p), g.within(0, 2))
	}
	g.openLedger(c, &p.home.currency, p.CreatedAt).live(g.within(8, 12))
}

// engageSome makes some of the people contacts of a firm.
func (g *generator) engageSome(firm resident, people []resident) {
	desk, all := g.desk(firm), posts()
	for i, at := range g.rng.Perm(len(people))[:min(firmContacts, len(people))] {
		post := all[i%len(all)]
		desk.engage(people[at], post.title, post.roles...)
	}
}
