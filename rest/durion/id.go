package durion

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"crmgraph/crm"
	"crmgraph/rest"
)

// Ids in paths and bodies are opaque: one that leads nowhere is not found, however it is spelt, and
// only after the rest of the request was found to be good. So such an id stands for a record that there
// is not (Durion 1.2, 1.5).

// globalID is the graph's id of the record of a type with a UUID.
func globalID(prefix, id string) string {
	global := prefix + "_" + strings.ToLower(id)
	if _, _, ok := crm.ParseID(global); !ok {
		return nobody(prefix, id)
	}
	return global
}

// nobody is an id that no record has, another one for each text.
func nobody(prefix, text string) string {
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%s_%x-%x-0000-0000-%x", prefix, sum[0:4], sum[4:6], sum[6:12])
}

// bare is the UUID in an id of the graph.
func bare(global string) string {
	_, id, _ := strings.Cut(global, "_")
	return id
}

// partyID is the id of the party that a variable of the path names.
func partyID(r *rest.Request, domain string) string {
	return globalID("pty", r.Var("partyId", domain))
}

// customer is the id of the party that a text names: by its UUID, or by its number as a customer.
// Errors: Unavailable.
func (d *door) customer(ctx context.Context, text string) (string, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return globalID("pty", text), nil //nolint:nilerr // what is no number may be a UUID
	}
	found, err := d.store.CustomerID(ctx, crm.CustomerBy{Number: &number}, nil)
	if err != nil || found == "" {
		return nobody("pty", text), err
	}
	return globalID("pty", bare(found)), nil
}

// person is the id of the customer that {id} names, who is a person: by its number, or by the UUID
// of the party. Errors: Unavailable.
func (d *door) person(ctx context.Context, r *rest.Request) (string, error) {
	text := r.Var("id", "id")
	by := crm.CustomerBy{}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		by.Number = &n
	} else if id := globalID("cus", text); id != nobody("cus", text) {
		by.ID = &id
	} else {
		r.Refuse("", "id", notANumber+", or a partyId")
		return nobody("cus", text), nil
	}
	kind := crm.Individual
	found, err := d.store.CustomerID(ctx, by, &kind)
	if err != nil || found == "" {
		return nobody("cus", text), err
	}
	return found, nil
}

const notANumber = "an id is a whole number of at most 19 digits"

// number is the number of the registry that {id} names; what is none is a problem of the request.
func number(r *rest.Request) int64 {
	n, err := strconv.ParseInt(r.Var("id", "id"), 10, 64)
	if err != nil {
		r.Refuse("", "id", notANumber)
	}
	return n
}
