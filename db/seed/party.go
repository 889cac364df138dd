package seed

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"crmgraph/crm"
)

// resident is a party with the country it lives in.
type resident struct {
	*crm.Party
	home *locale
}

// person makes a person of the given name.
func (g *generator) person(home *locale, first, last string, at time.Time) resident {
	born := g.today.AddDate(-g.within(19, 84), 0, -g.within(1, 364))
	p := g.party(crm.Individual, first+" "+last, home, at)
	p.FirstName, p.LastName, p.BirthDate = &first, &last, &born
	return p
}

// somebody makes a person with a name of the country.
func (g *generator) somebody(home *locale, at time.Time) resident {
	return g.person(home, g.firstName(home), g.lastName(home), at)
}

func (g *generator) firstName(home *locale) string {
	if home.first == nil {
		return g.fake.FirstName()
	}
	return pick(g, home.first)
}

func (g *generator) lastName(home *locale) string {
	if home.last == nil {
		return g.fake.LastName()
	}
	return pick(g, home.last)
}

// organization makes an organisation of the given legal name.
func (g *generator) organization(home *locale, legal, trading string, at time.Time) resident {
	p := g.party(crm.Organization, legal, home, at)
	p.LegalName = &legal
	if trading != "" {
		p.TradingName = &trading
	}
	tax := g.fill(home.taxID)
	p.TaxID = &tax
	return p
}

// firmName makes a name for a firm of the country.
func (g *generator) firmName(home *locale) (legal, trading string) {
	trading = g.lastName(home) + " " + pick(g, home.trades)
	if g.chance(20) {
		trading = g.lastName(home) + " & " + trading
	}
	return trading + " " + pick(g, home.forms), trading
}

func (g *generator) party(kind crm.PartyKind, name string, home *locale, at time.Time) resident {
	row := g.row()
	p := &crm.Party{
		Row: row, Number: g.number(partyNumber), Key: row.ID.String(), Kind: kind, Status: crm.PartyActive,
		DisplayName: name, Language: &home.language, Restrictions: []string{}, CreatedAt: at, UpdatedAt: at, Revision: 1,
	}
	g.parties = append(g.parties, p)
	return resident{p, home}
}

// customer makes the party a customer, who can be found by the customer's code.
func (g *generator) customer(p resident, kind crm.CustomerType) *crm.Customer {
	number := g.number(customerNumber)
	c := &crm.Customer{
		Row: p.Row, Number: number, Code: crm.NormaliseCode(fmt.Sprintf("CUST-%06d", number)), Type: kind, Tags: []string{}, Metadata: json.RawMessage("{}"),
		Status: crm.CustomerActive, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, Revision: 1,
	}
	g.customers = append(g.customers, c)
	g.identify(p, crm.IdentifierCode, "", c.Code, true)
	return c
}

// account gives an organisation credit.
func (g *generator) account(p resident) *crm.Account {
	limit := int64(g.within(10, 500)) * 100_000 // whole thousands
	used := limit * int64(g.within(0, 85)) / 100
	tier := pick(g, []crm.AccountTier{
		crm.TierStandard, crm.TierStandard, crm.TierBronze, crm.TierSilver, crm.TierGold, crm.TierPlatinum, crm.TierEnterprise,
	})
	a := &crm.Account{
		Row: p.Row, Code: fmt.Sprintf("ACC-%06d", p.Number), Status: crm.AccountActive,
		BillingTermsID: &g.termIDs[g.rng.IntN(len(g.termIDs))],
		InvoiceDelivery: pick(g, []crm.InvoiceDelivery{
			crm.DeliverByEmail, crm.DeliverByEmail, crm.DeliverByPortal, crm.DeliverByMail, crm.DeliverByEmailAndMail,
		}),
		Currency: &p.home.currency, CreditLimitMinor: &limit, CreditUsedMinor: used,
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, Revision: 1,
	}
	by := "system"
	p.TierLevel, p.TierAssignedAt, p.TierAssignedBy = &tier, &p.CreatedAt, &by
	if g.chance(10) { // those who owe too much
		a.CreditHold, a.CreditUsedMinor = true, limit+int64(g.within(1, 50))*10_000
	}
	g.accounts = append(g.accounts, a)
	return a
}

// email makes an address the party's primary one. A claimed address is nobody else's.
func (g *generator) email(p resident, label crm.ContactPointLabel, address string, claim bool) {
	g.point(p, crm.PointEmail, label, address, true)
	g.identify(p, crm.IdentifierEmail, "", address, claim)
}

// phone adds a telephone number.
func (g *generator) phone(p resident, label crm.ContactPointLabel, number string, primary bool) {
	g.point(p, crm.PointPhone, label, number, primary)
	if primary {
		g.identify(p, crm.IdentifierPhone, "", number, false)
	}
}

func (g *generator) point(p resident, kind crm.ContactPointKind, label crm.ContactPointLabel, value string, primary bool) {
	g.points = append(g.points, &crm.ContactPoint{
		Row: g.row(), PartyID: p.ID, Kind: kind, Label: label, Value: value,
		IsPrimary: primary, CreatedAt: p.CreatedAt, UpdatedAt: p.CreatedAt, Revision: 1,
	})
}

func (g *generator) identify(p resident, kind crm.IdentifierKind, system, value string, claim bool) {
	g.identifiers = append(g.identifiers, &crm.Identifier{
		Row: g.row(), PartyID: p.ID, Kind: kind, SystemName: system, Value: value,
		IsClaim: claim, CreatedAt: p.CreatedAt,
	})
}

// mailbox is the part of an e-mail address before the @ that a name suggests.
func mailbox(name string) string {
	ascii := strings.ReplaceAll(crm.NormaliseName(name), " ", ".")
	return strings.Map(func(r rune) rune {
		if r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, ascii)
}
