// Package durion keeps the Durion CRM and vehicle registry contract alive: 36 operations below
// /v1/crm and /v1/vehicles.
package durion

import (
	"context"
	"slices"
	"time"

	"crmgraph/crm"
	"crmgraph/rest"
)

// Options configure [New].
type Options struct {
	rest.Options

	// LiteralStubs answers 501 for the thirteen operations that the contract lists as stubs, in
	// place of doing what their names say (Durion 1.8).
	LiteralStubs bool
	// ListCap bounds the rows of a list that is asked for without a page; 1000 when zero (Durion 1.3).
	ListCap int
}

// maxBody bounds a request's body in bytes (Durion 1.1).
const maxBody = 1 << 20

// New returns the door of the contract.
func New(o Options) *rest.Door {
	d := &door{store: o.Store, correlationID: o.CorrelationID, listCap: o.ListCap}
	if d.listCap == 0 {
		d.listCap = 1000
	}
	return rest.New(rest.Contract{
		Name: "durion", Prefixes: []string{"/v1/crm", "/v1/vehicles"}, Routes: d.routes(o.LiteralStubs), MaxBody: maxBody,
		Reserved: reserved, Present: d.present,
	}, o.Options)
}

// door is what the handlers share.
type door struct {
	store         *crm.Store
	correlationID func(context.Context) string
	listCap       int
}

// reserved words stand for collections and never for a record (Durion 1.2).
func reserved(word string) bool {
	return slices.Contains([]string{"accounts", "parties", "vehicles"}, word)
}

// instant is a time as the contract shows it: UTC, with three digits of the second (Durion 1.1).
type instant time.Time

// MarshalJSON renders the time.
func (i instant) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(i).UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// sent is a value that was sent; without one, what is stored stays.
func sent[T any](value *T) (is crm.Omittable[*T]) {
	if value != nil {
		is = crm.Given(value)
	}
	return is
}

// text is a text that is omitted when there is none.
func text(optional *string) string {
	if optional == nil {
		return ""
	}
	return *optional
}
