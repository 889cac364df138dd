package crm

import (
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// Location is a postal address.
type Location struct {
	bun.BaseModel `bun:"table:location"`
	Row

	Key              string    `bun:"key"`
	Label            *string   `bun:"label"`
	Line1            string    `bun:"line1"`
	Line2            *string   `bun:"line2"`
	City             string    `bun:"city"`
	Region           *string   `bun:"region"`
	PostalCode       *string   `bun:"postal_code"`
	PostalNormalised *string   `bun:"postal_normalised"`
	CountryCode      string    `bun:"country_code"` // ISO 3166-1 alpha-2
	CreatedAt        time.Time `bun:"created_at"`
	UpdatedAt        time.Time `bun:"updated_at"`
	Revision         int64     `bun:"revision"`
}

// Locations is the type in the catalogue.
var Locations = newType[Location]("Location", "loc", PartyView, nil)

// PartyLocations leads from a party to its addresses.
var PartyLocations = paged(Parties, "locations", Locations,
	source{link: "party_location", on: "t.id = x.location_id", key: "x.party_id"}, Locations.orderBy("id"), "id")

// IsNode marks the type.
func (*Location) IsNode() {}

// NodeID is the global id.
func (l *Location) NodeID() string { return Locations.nodeID(l.ID) }

// Address is where a party can be written to.
type Address struct {
	Label       *string // such as HOME, at most 64 characters
	Line1       string  // 1 to 200 characters
	Line2       *string // at most 200 characters
	City        string  // 1 to 200 characters
	Region      *string // at most 64 characters
	PostalCode  *string // at most 16 characters
	CountryCode string  // ISO 3166-1 alpha-2
}

// maxAddresses bounds those of one party.
const maxAddresses = 20

// addresses checks a list of at most 20 addresses.
func (p *problems) addresses(field string, list []*Address) {
	p.atMost(field, len(list), maxAddresses)
	for i, a := range list {
		at := indexed(field, i)
		a.Label = p.text(at+".label", a.Label, 64)
		a.Line1 = p.required(at+".line1", a.Line1, 200)
		a.Line2 = p.text(at+".line2", a.Line2, 200)
		a.City = p.required(at+".city", a.City, 200)
		a.Region = p.text(at+".region", a.Region, 64)
		a.PostalCode = p.text(at+".postalCode", a.PostalCode, 16)
		if country := p.country(at+".countryCode", &a.CountryCode); country == nil {
			p.add(at+".countryCode", "a value is required")
		} else {
			a.CountryCode = *country
		}
	}
}

// locate queues addresses of a party, which come after those it has.
func (c *change) locate(party uuid.UUID, list []*Address) {
	for _, a := range list {
		l := &Location{
			Row: Row{ID: newID()}, Label: a.Label, Line1: a.Line1, Line2: a.Line2, City: a.City, Region: a.Region,
			PostalCode: a.PostalCode, CountryCode: a.CountryCode,
		}
		l.Key = l.ID.String()
		if a.PostalCode != nil {
			postal := NormalisePostalCode(*a.PostalCode)
			l.PostalNormalised = &postal
		}
		insert(c, Locations, l)
		c.exec("INSERT INTO party_location (tenant_id, party_id, location_id) VALUES ($1, $2, $3)", party, l.ID)
	}
}

// unlocate queues the end of a party's addresses. Those that other parties have, too, stay
// theirs.
func (c *change) unlocate(party uuid.UUID) {
	c.exec(`DELETE FROM location l WHERE l.tenant_id = $1
		AND l.id IN (SELECT x.location_id FROM party_location x WHERE x.tenant_id = $1 AND x.party_id = $2)
		AND NOT EXISTS (SELECT 1 FROM party_location x WHERE x.tenant_id = $1 AND x.location_id = l.id AND x.party_id <> $2)`, party)
	c.exec("DELETE FROM party_location WHERE tenant_id = $1 AND party_id = $2", party)
}
