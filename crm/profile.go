package crm

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// profile is a party with its other faces: a customer and an account are the same thing in
// another role, share its id and its revision, and are locked by its row.
type profile struct {
	party    *Party
	customer *Customer // nil unless it buys
	account  *Account  // nil unless it has one
}

// profiles locks parties in the order of their ids and reads their other faces, in one round
// trip. A party that does not exist is missing from the result.
func (c *change) profiles(ctx context.Context, ids ...uuid.UUID) (map[uuid.UUID]*profile, error) {
	statements, found := c.profilesOf(ids...)
	if err := c.send(ctx, statements...); err != nil {
		return nil, err
	}
	return found(), nil
}

// profilesOf is profiles for who sends the statements together with others.
func (c *change) profilesOf(ids ...uuid.UUID) (statements []statement, found func() map[uuid.UUID]*profile) {
	parties, byParty := Parties.rowsOf(c.session, Parties.byIDs+" ORDER BY t.id FOR NO KEY UPDATE OF t", ids)
	customers, byCustomer := Customers.rowsOf(c.session, Customers.byIDs, ids)
	accounts, byAccount := Accounts.rowsOf(c.session, Accounts.byIDs, ids)
	return []statement{parties, customers, accounts}, func() map[uuid.UUID]*profile {
		found := make(map[uuid.UUID]*profile, len(byParty))
		for id, party := range byParty {
			p := &profile{party: party, customer: byCustomer[id], account: byAccount[id]}
			remember(c, p.party)
			remember(c, p.customer)
			remember(c, p.account)
			found[id] = p
		}
		return found
	}
}

// remember keeps a row as it was read.
func remember[T any](c *change, row *T) {
	if row != nil {
		before := *row
		c.before[row] = &before
	}
}

// profile locks one party. Errors: NotFound.
func (c *change) profile(ctx context.Context, id uuid.UUID) (*profile, error) {
	found, err := c.profiles(ctx, id)
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, notFoundf("no such Party")
	}
	return found[id], nil
}

// target locks the party that an operation changes: it must be open to changes, which comes
// first since reading it again would not help, and be the revision that the caller saw.
// Errors: NotFound, Conflict, Stale.
func (c *change) target(ctx context.Context, id uuid.UUID, field string) (*profile, error) {
	found, err := c.profiles(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := usable(found, id, field)
	if err != nil {
		return nil, err
	}
	return p, c.expected(p.party, p.party.Revision)
}

// children locks the organisations that belong to some, but for those left out. Merged ones
// stay as they are.
func (c *change) children(ctx context.Context, of, leftOut []uuid.UUID) ([]*profile, error) {
	return c.profilesWhere(ctx, "t.parent_id = ANY ($2) AND NOT t.id = ANY ($3) AND t.merged_into_id IS NULL", of, leftOut)
}

// mergedInto locks the parties that were merged into one.
func (c *change) mergedInto(ctx context.Context, survivor uuid.UUID) ([]*profile, error) {
	return c.profilesWhere(ctx, "t.merged_into_id = $2", survivor)
}

// profilesWhere locks the parties that a condition holds for, in the order of their ids.
func (c *change) profilesWhere(ctx context.Context, condition string, args ...any) ([]*profile, error) {
	rows, err := find(ctx, c, Parties, condition+" ORDER BY t.id", args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	found, err := c.profiles(ctx, ids...)
	if err != nil {
		return nil, err
	}
	// The locks may have been waited for: only now is it sure whom the condition holds for.
	if rows, err = find(ctx, c, Parties, condition+" ORDER BY t.id", args...); err != nil {
		return nil, err
	}
	list := make([]*profile, 0, len(rows))
	for _, row := range rows {
		if p := found[row.ID]; p != nil {
			list = append(list, p)
		}
	}
	return list, nil
}

// customerTarget is target for an operation on a customer. Errors: also NotFound for a party
// that is none.
func (c *change) customerTarget(ctx context.Context, id uuid.UUID) (*profile, error) {
	p, err := c.anyCustomer(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := p.editable("id"); err != nil {
		return nil, err
	}
	return p, c.expected(p.customer, p.customer.Revision)
}

// anyCustomer is customerTarget for an operation that decides itself which states it serves,
// and looks at the revision.
func (c *change) anyCustomer(ctx context.Context, id uuid.UUID) (*profile, error) {
	found, err := c.profiles(ctx, id)
	if err != nil {
		return nil, err
	}
	p := found[id]
	if p == nil || p.customer == nil {
		return nil, missing("id", Customers)
	}
	return p, nil
}

// editable refuses a party that is merged, anonymised or deactivated. Errors: Conflict.
func (p *profile) editable(field string) error {
	switch {
	case p.party.Status == PartyMerged:
		e := conflictf(MergedParty, field, "the party was merged into another one")
		e.Related = Parties.nodeID(*p.party.MergedIntoID)
		return e
	case p.party.Status == PartyAnonymized:
		return conflictf(InvalidState, field, "the party is anonymised")
	case p.party.DeactivatedAt != nil:
		return conflictf(InvalidState, field, "the party is deactivated")
	default:
		return nil
	}
}

// usable is a party that may get something. Errors: NotFound, Conflict (PartyMerged,
// InvalidState), all at field.
func usable(found map[uuid.UUID]*profile, id uuid.UUID, field string) (*profile, error) {
	p := found[id]
	if p == nil {
		return nil, missing(field, Parties)
	}
	return p, p.editable(field)
}

// save queues all faces of a locked party with the next revision, and returns the names of
// the fields that changed in any of them.
func (c *change) save(p *profile) []string {
	fields := update(c, Parties, p.party)
	if p.customer != nil {
		fields = append(fields, update(c, Customers, p.customer)...)
	}
	if p.account != nil {
		fields = append(fields, update(c, Accounts, p.account)...)
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// saved is save with the event of the party.
func (c *change) saved(kind EventType, p *profile, details map[string]any, more ...string) {
	altered(c, kind, Parties, p.party, append(c.save(p), more...), details)
}

// Redacted stands where personal data was.
const Redacted = "[redacted]"

// Derive sets what follows from a party's names and tax id.
func (p *Party) Derive() {
	p.CoreName = nil
	switch {
	case p.Status == PartyAnonymized:
		p.DisplayName = Redacted
	case p.Kind == Organization:
		p.DisplayName = *p.LegalName
		core := CoreName(p.DisplayName)
		p.CoreName = &core
	default:
		p.DisplayName = joined(p.FirstName, p.LastName)
	}
	p.SearchName = NormaliseName(p.DisplayName)
	p.SearchTrading, p.TaxIDNormalised = nil, nil
	if p.TradingName != nil {
		name := NormaliseName(*p.TradingName)
		p.SearchTrading = &name
	}
	if p.TaxID != nil {
		if id := NormaliseTaxID(*p.TaxID); id != "" {
			p.TaxIDNormalised = &id
		}
	}
}

// derive is Derive for a party with its other faces: a customer without a name goes by its
// code.
func (p *profile) derive() {
	p.party.Derive()
	if p.party.DisplayName == "" && p.customer != nil {
		p.party.DisplayName = p.customer.Code
		p.party.SearchName = NormaliseName(p.party.DisplayName)
	}
}

func joined(parts ...*string) string {
	text := ""
	for _, part := range parts {
		if part == nil {
			continue
		}
		if text != "" {
			text += " "
		}
		text += *part
	}
	return text
}

// The numbers that people read.
const (
	partyNumber    = "party"
	customerNumber = "customer"
	vehicleNumber  = "vehicle"
)

// numbers gives out the next of each kind of number, in the order of the kinds' names. It
// holds the counters until the transaction ends, so what follows is done one at a time.
func (c *change) numbers(ctx context.Context, kinds ...string) (map[string]int64, error) {
	return c.manyNumbers(ctx, 1, kinds...)
}

// manyNumbers gives out n numbers of each kind and returns the last.
func (c *change) manyNumbers(ctx context.Context, n int, kinds ...string) (map[string]int64, error) {
	last := make(map[string]int64, len(kinds))
	err := c.query(ctx, statement{
		sql: `INSERT INTO counter (tenant_id, name, last_value) SELECT $1, k.name, $3 FROM unnest($2::text[]) AS k (name) ORDER BY k.name
			ON CONFLICT (tenant_id, name) DO UPDATE SET last_value = counter.last_value + excluded.last_value RETURNING name, last_value`,
		args: []any{c.tenant, slices.Sorted(slices.Values(kinds)), n},
		read: func(rows pgx.Rows) error {
			var name string
			var value int64
			_, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error {
				last[name] = value
				return nil
			})
			return err
		},
	})
	return last, err
}

// What a made-up code must not be.
const (
	customerCodeTaken = "SELECT true FROM identifier WHERE tenant_id = $1 AND kind = 'CODE' AND normalised = $2 AND is_claim"
	accountCodeTaken  = "SELECT true FROM account WHERE tenant_id = $1 AND code = $2"
)

// codeOr is the code that a client chose, else one made from a number that the counter gave
// out. Where a client chose the same one before, it gets a suffix: else the number could never
// be used, nor any after it.
func (c *change) codeOr(ctx context.Context, chosen *string, prefix string, number int64, taken string) (string, error) {
	if chosen != nil {
		return *chosen, nil
	}
	made := fmt.Sprintf("%s-%06d", prefix, number)
	for code, n := made, 2; ; n++ {
		exists := false
		err := c.query(ctx, statement{sql: taken, args: []any{c.tenant, code}, read: readOne(&exists)})
		if err != nil || !exists {
			return code, err
		}
		code = fmt.Sprintf("%s-%d", made, n)
	}
}

// hierarchy makes the transactions that change who belongs to whom run one at a time.
func (c *change) hierarchy() { c.oneAtATime("hierarchy") }

// oneAtATime makes the transactions that ask for the same word run one at a time.
func (c *change) oneAtATime(word string) {
	c.exec("INSERT INTO counter (tenant_id, name, last_value) VALUES ($1, $2, 0) "+
		"ON CONFLICT (tenant_id, name) DO UPDATE SET last_value = counter.last_value", word)
}

// id reads the global id of a record of the type.
func (t *Record[T]) id(p *problems, field, text string) uuid.UUID {
	id, err := Path{prefix: t.prefix}.id(text, field)
	if err != nil {
		p.add(field, "an id of the form %s_… is needed", t.prefix)
	}
	return id
}

// GlobalID renders the id of a record of the type as the graph shows it.
func (t *Record[T]) GlobalID(id uuid.UUID) string { return t.nodeID(id) }

func partyIDs(list []*profile) []uuid.UUID {
	ids := make([]uuid.UUID, len(list))
	for i, p := range list {
		ids[i] = p.party.ID
	}
	return ids
}

func ids(list ...uuid.UUID) []uuid.UUID { return list }
