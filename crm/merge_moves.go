package crm

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// readPoints reads the contact points of everybody.
func (m *merging) readPoints(ctx context.Context) error {
	rows, err := find(ctx, m.change, ContactPoints, "t.party_id = ANY ($2) ORDER BY t.id", m.everybody())
	m.points = map[uuid.UUID][]*ContactPoint{}
	for _, o := range rows {
		m.points[o.PartyID] = append(m.points[o.PartyID], o)
	}
	return err
}

// becomeCustomer makes the survivor a customer when a loser is one: points and warranties
// need it.
func (m *merging) becomeCustomer(ctx context.Context) error {
	at := slices.IndexFunc(m.losers, func(l *profile) bool { return l.customer != nil })
	if m.survivor.customer != nil || at < 0 {
		return nil
	}
	numbers, err := m.numbers(ctx, customerNumber)
	if err != nil {
		return err
	}
	number := numbers[customerNumber]
	code, err := m.codeOr(ctx, nil, "CUST", number, customerCodeTaken)
	if err != nil {
		return err
	}
	like := m.losers[at].customer
	m.survivor.customer = &Customer{
		Row: m.survivor.party.Row, Number: number, Code: code, Type: like.Type, Status: CustomerActive, Tags: like.Tags, Metadata: like.Metadata,
		PrimaryAddress: like.PrimaryAddress, HomeLogicalID: like.HomeLogicalID,
	}
	insert(m.change, Customers, m.survivor.customer)
	// From its first moment it has the party's revision.
	m.survivor.customer.Revision = m.survivor.party.Revision
	m.exec("UPDATE customer SET revision = $3 WHERE tenant_id = $1 AND id = $2", m.survivor.party.ID, m.survivor.party.Revision)
	m.identify(m.survivor.party.ID, IdentifierCode, "", m.survivor.customer.Code, ClaimAlways, "survivorId")
	made(m.change, CustomerCreated, Customers, m.survivor.customer, nil)
	return nil
}

// takePoints copies the contact points that the survivor lacks; where it has no primary one
// of a kind, a loser's becomes it. The losers keep theirs, as they keep all that describes
// them.
func (m *merging) takePoints(context.Context) error {
	survivor := m.survivor.party.ID
	for _, loser := range m.losers {
		for _, o := range m.points[loser.party.ID] {
			primary := o.IsPrimary && !slices.ContainsFunc(m.points[survivor], func(has *ContactPoint) bool { return has.Kind == o.Kind && has.IsPrimary })
			same := func(has *ContactPoint) bool { return has.Kind == o.Kind && has.Normalised == o.Normalised }
			if at := slices.IndexFunc(m.points[survivor], same); at >= 0 {
				if has := m.points[survivor][at]; primary {
					has.IsPrimary = true
					update(m.change, ContactPoints, has)
				}
				continue
			}
			taken := &ContactPoint{PartyID: survivor, Kind: o.Kind, Label: o.Label, Value: o.Value, Extension: o.Extension, IsPrimary: primary}
			taken.Derive()
			insert(m.change, ContactPoints, taken)
			m.points[survivor] = append(m.points[survivor], taken)
		}
	}
	return nil
}

// takeIdentifiers makes what led to the losers lead to the survivor. What the survivor has in
// its own right stays its own; the rest are aliases.
func (m *merging) takeIdentifiers(ctx context.Context) error {
	rows, err := lock(ctx, m.change, Identifiers, "t.party_id = ANY ($2)", m.everybody())
	if err != nil {
		return err
	}
	survivor := m.survivor.party.ID
	var has []*Identifier
	for _, i := range rows {
		if i.PartyID == survivor {
			has = append(has, i)
		}
	}
	for _, loser := range m.losers {
		for _, i := range rows {
			if i.PartyID == loser.party.ID {
				has = m.takeIdentifier(has, i)
			}
		}
	}
	return m.claimOwn(ctx)
}

// claimOwn claims what leads to a customer in its own right, as it does that of a new one. A
// survivor or a loser that was none has claimed nothing.
func (m *merging) claimOwn(ctx context.Context) error {
	if m.survivor.customer == nil {
		return nil
	}
	settings, err := m.settings(ctx)
	if err != nil {
		return err
	}
	kinds := []IdentifierKind{IdentifierExternal}
	if settings.EmailUnique {
		kinds = append(kinds, IdentifierEmail)
	}
	if settings.PhoneUnique {
		kinds = append(kinds, IdentifierPhone)
	}
	m.exec(`UPDATE identifier i SET is_claim = true WHERE i.tenant_id = $1 AND i.party_id = $2 AND i.kind = ANY ($3) AND NOT i.is_claim AND NOT i.is_alias
		AND NOT EXISTS (SELECT 1 FROM identifier o WHERE o.tenant_id = $1 AND o.kind = i.kind AND o.system = i.system AND o.normalised = i.normalised AND o.is_claim)`,
		m.survivor.party.ID, kinds).Fn = func(results pgx.BatchResults) error {
		_, err := results.Exec()
		if name, _ := db.Violated(err); name == "identifier_claim_key" {
			return (&Error{Code: Unavailable, Message: "an identifier is being claimed at this moment, try again"}).Because(err)
		}
		return err
	}
	return nil
}

func (m *merging) takeIdentifier(has []*Identifier, i *Identifier) []*Identifier {
	same := func(o *Identifier) bool {
		return o.Kind == i.Kind && o.SystemName == i.SystemName && o.Normalised == i.Normalised
	}
	if at := slices.IndexFunc(has, same); at >= 0 {
		remove(m.change, Identifiers, i.ID)
		if i.IsClaim && !has[at].IsClaim {
			has[at].IsClaim = true
			update(m.change, Identifiers, has[at])
		}
		return has
	}
	i.PartyID = m.survivor.party.ID
	switch i.Kind {
	case IdentifierCode:
		i.IsAlias = true
	case IdentifierExternal:
		clash := slices.ContainsFunc(has, func(o *Identifier) bool {
			return o.Kind == IdentifierExternal && o.SystemName == i.SystemName && !o.IsAlias
		})
		i.IsAlias = i.IsAlias || clash
		if !i.IsAlias {
			m.moved.ExternalIdentifiers++
		}
	case IdentifierEmail, IdentifierPhone:
		// Its own are those of its primary contact points.
		i.IsAlias = !slices.ContainsFunc(m.points[m.survivor.party.ID], func(o *ContactPoint) bool {
			return o.IsPrimary && o.identifierKind() == i.Kind && o.Normalised == i.Normalised
		})
	}
	update(m.change, Identifiers, i)
	return append(has, i)
}

// takeVehicles ends what the losers are to vehicles and begins it for the survivor, at the
// same instant.
func (m *merging) takeVehicles(ctx context.Context) error {
	vehicles, err := lock(ctx, m.change, Vehicles, heldSQL, m.loserIDs())
	if err != nil || len(vehicles) == 0 {
		return err
	}
	open, err := find(ctx, m.change, VehicleAssociations, "t.party_id = ANY ($2) AND t.effective_to IS NULL ORDER BY t.id", m.everybody())
	if err != nil {
		return err
	}
	survivor := m.survivor.party.ID
	type tie struct {
		vehicle uuid.UUID
		kind    AssociationKind
	}
	has := map[tie]bool{}
	for _, a := range open {
		if a.PartyID == survivor {
			has[tie{a.VehicleID, a.Kind}] = true
		}
	}
	touched := map[uuid.UUID]EventType{}
	for _, a := range open {
		if a.PartyID == survivor {
			continue
		}
		m.change.end(a, m.now)
		if _, known := touched[a.VehicleID]; !known {
			touched[a.VehicleID] = VehicleDriverAssigned
		}
		if a.Kind == Owner {
			m.moved.Vehicles++
			touched[a.VehicleID] = VehicleOwnerReassigned
		}
		if key := (tie{a.VehicleID, a.Kind}); !has[key] {
			has[key] = true
			insert(m.change, VehicleAssociations, &VehicleAssociation{VehicleID: a.VehicleID, PartyID: survivor, Kind: a.Kind, EffectiveFrom: *a.EffectiveTo})
		}
	}
	for _, v := range vehicles {
		if kind, ok := touched[v.ID]; ok {
			altered(m.change, kind, Vehicles, v, update(m.change, Vehicles, v), map[string]any{"to": m.survivor.party.NodeID()})
		}
	}
	return nil
}

// takeWarranties registers the losers' warranties to the survivor.
func (m *merging) takeWarranties(ctx context.Context) error {
	rows, err := lock(ctx, m.change, Warranties, "t.customer_id = ANY ($2)", m.loserIDs())
	for _, w := range rows {
		w.CustomerID = m.survivor.party.ID
		altered(m.change, WarrantyTransferred, Warranties, w, update(m.change, Warranties, w), nil)
		m.moved.Warranties++
	}
	return err
}

// takeLocations adds the losers' addresses that the survivor lacks to its own.
func (m *merging) takeLocations(context.Context) error {
	m.exec(`INSERT INTO party_location (tenant_id, party_id, location_id)
		SELECT DISTINCT ON (l.line1, l.city, l.country_code, l.line2, l.postal_normalised) $1, $2, x.location_id FROM party_location x
		JOIN location l ON l.tenant_id = $1 AND l.id = x.location_id
		WHERE x.tenant_id = $1 AND x.party_id = ANY ($3) AND NOT EXISTS (
			SELECT 1 FROM party_location y JOIN location k ON k.tenant_id = $1 AND k.id = y.location_id
			WHERE y.tenant_id = $1 AND y.party_id = $2
			AND (k.line1, k.city, k.country_code, k.line2, k.postal_normalised) IS NOT DISTINCT FROM (l.line1, l.city, l.country_code, l.line2, l.postal_normalised))
		ORDER BY l.line1, l.city, l.country_code, l.line2, l.postal_normalised, l.id`, m.survivor.party.ID, m.loserIDs())
	return nil
}

// takeChildren makes the organisations that belonged to a loser belong to the survivor, and
// the survivor to whatever is above a loser that it belonged to.
func (m *merging) takeChildren(ctx context.Context) error {
	if m.survivor.party.Kind != Organization {
		return nil
	}
	m.hierarchy()
	if err := m.flush(ctx); err != nil {
		return err
	}
	if err := m.risePastLosers(ctx); err != nil {
		return err
	}
	children, err := m.children(ctx, m.loserIDs(), m.everybody())
	if err != nil {
		return err
	}
	for _, child := range children {
		child.party.ParentID = &m.survivor.party.ID
		m.saved(PartyParentChanged, child, nil)
		m.moved.Children++
	}
	return m.notTooDeep(ctx)
}

// notTooDeep refuses a merge that makes a chain of organisations too long.
func (m *merging) notTooDeep(ctx context.Context) error {
	if m.survivor.party.ParentID == nil || m.moved.Children == 0 {
		return nil
	}
	m.exec("UPDATE party SET parent_id = $3 WHERE tenant_id = $1 AND id = $2", m.survivor.party.ID, m.survivor.party.ParentID)
	if err := m.flush(ctx); err != nil {
		return err
	}
	_, depth, err := m.chains(ctx, m.survivor.party.ID, *m.survivor.party.ParentID)
	if err == nil && depth > maxDepth {
		e := invalidf(m.loserField(0), "a chain of organisations has at most %d members", maxDepth)
		e.Reason = InvalidMerge
		return e
	}
	return err
}

// risePastLosers makes the survivor, if it belonged to a loser over any number of steps, belong
// to what the highest such loser belonged to: it takes that one's place.
func (m *merging) risePastLosers(ctx context.Context) error {
	losers := m.loserIDs()
	return m.query(ctx, statement{
		sql: `WITH RECURSIVE up (id, parent_id, depth) AS (
			SELECT p.id, p.parent_id, 1 FROM party p WHERE p.tenant_id = $1 AND p.id = $2
			UNION ALL SELECT p.id, p.parent_id, up.depth + 1 FROM up JOIN party p ON p.tenant_id = $1 AND p.id = up.parent_id
			WHERE up.depth <= $3
		) SELECT id, parent_id FROM up ORDER BY depth`,
		args: []any{m.tenant, m.survivor.party.ID, maxDepth},
		read: func(rows pgx.Rows) error {
			var id uuid.UUID
			var parent *uuid.UUID
			_, err := pgx.ForEachRow(rows, []any{&id, &parent}, func() error {
				if slices.Contains(losers, id) {
					m.survivor.party.ParentID = parent
				}
				return nil
			})
			return err
		},
	})
}

// takePreferences lets the losers' preferences and consents count.
func (m *merging) takePreferences(ctx context.Context) error {
	n, err := m.mergePreferences(ctx, m.survivor.party.ID, m.loserIDs())
	m.moved.CommunicationPreferences = n
	return err
}

// takeLoyalty hands over the losers' points. Ledgers are never rewritten: a pair of TRANSFER
// entries closes the one and continues the other, and what is left of each lot goes on with
// its dates.
func (m *merging) takeLoyalty(ctx context.Context) error {
	rows, err := lock(ctx, m.change, LoyaltyAccounts, "t.id = ANY ($3)", m.everybody())
	if err != nil {
		return err
	}
	accounts := map[uuid.UUID]*LoyaltyAccount{}
	for _, a := range rows {
		accounts[a.ID] = a
	}
	to := accounts[m.survivor.party.ID]
	isNew := to == nil
	if isNew {
		to = &LoyaltyAccount{Row: Row{ID: m.survivor.party.ID}}
	}
	var from []*LoyaltyAccount
	for _, l := range m.losers {
		if a := accounts[l.party.ID]; a != nil && (a.Balance != 0 || a.LifetimeEarned != 0) {
			from = append(from, a)
		}
	}
	if len(from) == 0 {
		return nil
	}
	if isNew {
		insert(m.change, LoyaltyAccounts, to)
	}
	for _, a := range from {
		if err := m.transferPoints(ctx, a, to); err != nil {
			return err
		}
	}
	altered(m.change, LoyaltyPointsTransferred, LoyaltyAccounts, to, update(m.change, LoyaltyAccounts, to), map[string]any{"points": m.moved.Points})
	return nil
}

// openLot is what is left of points that came in together.
type openLot struct {
	remaining   int64
	availableAt time.Time
	expiresAt   *time.Time
}

func (m *merging) openLots(ctx context.Context, account uuid.UUID) ([]openLot, error) {
	var lots []openLot
	err := m.query(ctx, statement{
		sql:  "SELECT remaining, available_at, expires_at FROM loyalty_lot WHERE tenant_id = $1 AND account_id = $2 AND remaining > 0 ORDER BY id",
		args: []any{m.tenant, account},
		read: func(rows pgx.Rows) error {
			var lot openLot
			_, err := pgx.ForEachRow(rows, []any{&lot.remaining, &lot.availableAt, &lot.expiresAt}, func() error {
				lots = append(lots, lot)
				return nil
			})
			return err
		},
	})
	return lots, err
}

// transferPoints closes one ledger and continues another.
func (m *merging) transferPoints(ctx context.Context, from, to *LoyaltyAccount) error {
	points, gained, reason := from.Balance, from.LifetimeEarned, "merge"
	lost := -gained
	debit := &LoyaltyTransaction{
		Row: Row{ID: newID()}, AccountID: from.ID, Type: LoyaltyTransfer, Points: -points, LifetimeMoved: &lost, Reason: &reason, OccurredAt: m.now,
	}
	to.Balance, to.LifetimeEarned = to.Balance+points, to.LifetimeEarned+gained
	credit := &LoyaltyTransaction{
		Row: Row{ID: newID()}, AccountID: to.ID, Type: LoyaltyTransfer, Points: points, BalanceAfter: to.Balance, LifetimeMoved: &gained,
		Reason: &reason, OccurredAt: m.now,
	}
	lots, err := m.openLots(ctx, from.ID)
	if err != nil {
		return err
	}
	insert(m.change, LoyaltyTransactions, debit, credit)
	m.exec("INSERT INTO loyalty_transaction_link (tenant_id, transaction_id, related_id) VALUES ($1, $2, $3)", credit.ID, debit.ID)
	for _, lot := range lots {
		m.exec(`INSERT INTO loyalty_lot (tenant_id, id, account_id, transaction_id, points, remaining, available_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $5, $6, $7)`, newID(), to.ID, credit.ID, lot.remaining, lot.availableAt, lot.expiresAt)
	}
	m.exec("UPDATE loyalty_lot SET remaining = 0 WHERE tenant_id = $1 AND account_id = $2 AND remaining > 0", from.ID)
	from.Balance, from.LifetimeEarned = 0, 0
	altered(m.change, LoyaltyPointsTransferred, LoyaltyAccounts, from, update(m.change, LoyaltyAccounts, from), map[string]any{"points": -points})
	m.moved.Points += points
	return nil
}
