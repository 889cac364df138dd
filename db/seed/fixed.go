package seed

import (
	"fmt"
	"time"

	"crmgraph/crm"
)

// The records that people and tests look up by name.
const (
	goldenVIN        = "WVWZZZ1JZXW000001"
	beforeFirstFirm  = 5000 // among the parties' numbers
	northwindVehicle = 24
)

// amelia makes customer 1001.
func (d *demo) amelia() {
	p := d.person(d.country("de-DE"), "Amelia", "Hartmann", d.next())
	d.email(p, crm.PointHome, d.address(p.DisplayName), true)
	d.phone(p, crm.PointMobile, "+49 171 39200 17", true)
	d.phone(p, crm.PointHome, "+49 30 23125 417", false)
	d.identify(p, crm.IdentifierExternal, "dms", "K-100417", true)
	d.newcomer(p)
}

// ameliaGarage gives her the Golf of many owners and two more cars.
func (d *demo) ameliaGarage() {
	amelia := d.people[0]
	d.chapter(1)
	golf := d.vehicle(d.cars[0], amelia.home)
	year, trim := 1999, "Highline"
	golf.Year, golf.Trim = &year, &trim
	setVIN(golf, goldenVIN)
	setPlate(golf, "B-AH 1999")
	bought, resold := time.Date(1999, time.April, 17, 0, 0, 0, 0, time.UTC), time.Date(2009, time.August, 1, 0, 0, 0, 0, time.UTC)
	hers := d.today.AddDate(-3, 0, 0)
	d.associate(golf, d.people[1].resident, crm.Owner, bought).EffectiveTo = &resold
	d.associate(golf, d.people[2].resident, crm.Owner, resold).EffectiveTo = &hers
	d.associate(golf, amelia.resident, crm.Owner, hers)
	powertrain, mobility := covers()[0], covers()[2]
	d.warranty(golf, amelia.ID, powertrain, hers, 24)
	d.warranty(golf, amelia.ID, mobility, d.today.AddDate(0, -6, 0), 24)
	for _, m := range d.cars[2:4] {
		v := d.vehicle(m, amelia.home)
		d.insure(v, amelia.ID, d.owned(v, amelia.resident), 2)
	}
}

// ameliaPoints gives her a ledger with entries of every type, in which some points are
// spent, some expired and booked, some expired and not booked, and some still pending.
func (d *demo) ameliaPoints() {
	amelia := d.people[0]
	ago := func(months int) time.Time { return d.today.AddDate(0, -months, 0) }
	l := d.openLedger(amelia.customer, &amelia.home.currency, ago(36))
	l.earn(ago(34), 84_900, inStore)
	l.redeem(ago(32), 300)
	l.restore(ago(31))
	l.earn(ago(30), 129_900, inStore)
	l.reverse(ago(29))
	l.adjust(ago(26), 250, "Goodwill for a late appointment")
	l.earn(ago(24), 45_050, inStore)
	l.sweep(ago(18))
	l.earn(ago(16), 99_900, inStore)
	l.redeem(ago(14), 200)
	l.earn(ago(12), 61_200, inStore)
	l.adjust(ago(10), -25, "Correction of a wrong booking")
	l.earn(ago(9), 38_700, onWeb)
	l.redeem(ago(5), 150)
	l.earn(ago(3), 154_400, inStore)
	l.earn(ago(1), 21_990, inStore)
	l.earn(d.today.AddDate(0, 0, -2), 17_500, onWeb)
}

// northwind makes the fixed group: party 5001 is the middle of it.
func (d *demo) northwind() {
	d.chapter(2)
	d.numbers[partyNumber] = beforeFirstFirm
	germany, founded := d.country("de-DE"), d.opening()
	logistics := d.business(d.organization(germany, "Northwind Logistics GmbH", "Northwind Logistics", founded), crm.CustomerCommercial)
	d.chapter(3)
	holding := d.business(d.organization(germany, "Northwind Holding SE", "Northwind", founded), crm.CustomerCommercial)
	d.chapter(4)
	austria := d.business(d.organization(d.country("de-AT"), "Northwind Logistics Austria GmbH", "", founded), crm.CustomerCommercial)
	d.chapter(5)
	poland := d.business(d.organization(d.country("pl-PL"), "Northwind Spedycja Sp. z o.o.", "", founded), crm.CustomerCommercial)
	logistics.ParentID, austria.ParentID, poland.ParentID = &holding.ID, &logistics.ID, &logistics.ID
	logistics.Key, holding.Key = "northwind-logistics", "northwind-holding"
	for _, a := range d.accounts { // the group is billed in one currency, and far from its limits
		a.Currency, a.CreditHold, a.CreditUsedMinor = &germany.currency, false, min(a.CreditUsedMinor, *a.CreditLimitMinor/2)
	}

	d.chapter(6)
	staff := d.staff(logistics, 9)
	staff.engage(d.people[0].resident, "External Fleet Adviser", "TECHNICAL", "APPROVER")
	for i, c := range d.contacts {
		c.Key = fmt.Sprintf("northwind-contact-%d", i+1)
	}
	d.fleet(logistics, staff, northwindVehicle, "NW")
	for _, firm := range []patron{holding, austria, poland} {
		d.staff(firm, 2)
	}
}
