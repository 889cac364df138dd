package crm

import (
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// IdentifierKind says what an identifier is.
type IdentifierKind string

// ContactPointKind says how a contact point reaches its party.
type ContactPointKind string

// ContactPointLabel says where a contact point reaches its party.
type ContactPointLabel string

// The words of identifiers and contact points.
const (
	IdentifierEmail    IdentifierKind = "EMAIL"
	IdentifierPhone    IdentifierKind = "PHONE"
	IdentifierCode     IdentifierKind = "CODE"
	IdentifierExternal IdentifierKind = "EXTERNAL"

	PointEmail ContactPointKind = "EMAIL"
	PointPhone ContactPointKind = "PHONE"

	PointHome   ContactPointLabel = "HOME"
	PointWork   ContactPointLabel = "WORK"
	PointMobile ContactPointLabel = "MOBILE"
	PointOther  ContactPointLabel = "OTHER"
)

// Identifier is a value that leads to a party. A claim is held by one party only.
type Identifier struct {
	bun.BaseModel `bun:"table:identifier"`
	Row

	PartyID    uuid.UUID      `bun:"party_id"`
	Kind       IdentifierKind `bun:"kind"`
	SystemName string         `bun:"system"` // of an external reference, else empty
	Value      string         `bun:"value"`  // as given
	Normalised string         `bun:"normalised"`
	Folded     string         `bun:"folded"` // of an e-mail address, see [FoldEmail]; else empty
	IsClaim    bool           `bun:"is_claim"`
	IsAlias    bool           `bun:"is_alias"` // came with a merge and is not the party's own
	CreatedAt  time.Time      `bun:"created_at"`
}

// Identifiers is the type in the catalogue.
var Identifiers = newType[Identifier]("Identifier", "idn", PartyView, nil)

// IdentifierParty leads to the party that an identifier names.
var IdentifierParty = one(Identifiers, "party", Parties, "party_id")

// IsNode marks the type.
func (*Identifier) IsNode() {}

// NodeID is the global id.
func (i *Identifier) NodeID() string { return Identifiers.nodeID(i.ID) }

// System is the other system of an external reference, nil for the other kinds.
func (i *Identifier) System() *string {
	if i.SystemName == "" {
		return nil
	}
	return &i.SystemName
}

// ContactPoint is an e-mail address or a telephone number of a party.
type ContactPoint struct {
	bun.BaseModel `bun:"table:contact_point"`
	Row

	PartyID    uuid.UUID         `bun:"party_id"`
	Kind       ContactPointKind  `bun:"kind"`
	Label      ContactPointLabel `bun:"label"`
	Value      string            `bun:"value"` // as given
	Normalised string            `bun:"normalised"`
	Extension  *string           `bun:"extension"`
	IsPrimary  bool              `bun:"is_primary"` // at most one per party and kind
	CreatedAt  time.Time         `bun:"created_at"`
	UpdatedAt  time.Time         `bun:"updated_at"`
	Revision   int64             `bun:"revision"`
}

// ContactPoints is the type in the catalogue.
var ContactPoints = newType[ContactPoint]("ContactPoint", "cpt", PartyView, nil)

// ContactPointParty leads to the party that a contact point reaches.
var ContactPointParty = one(ContactPoints, "party", Parties, "party_id")

// IsNode marks the type.
func (*ContactPoint) IsNode() {}

// NodeID is the global id.
func (c *ContactPoint) NodeID() string { return ContactPoints.nodeID(c.ID) }
