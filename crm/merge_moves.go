package crm

import (
	"context"
	"slices"

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

// becomeCustomer makes the survivor a customer when a loser is one: points, warranties and gift
// cards need it.
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

// takeGiftCards makes the losers' gift cards the survivor's.
func (m *merging) takeGiftCards(ctx context.Context) error {
	if err := m.flush(ctx); err != nil { // the survivor may have become a customer just now
		return err
	}
	return m.query(ctx, statement{
		sql: `WITH taken AS (UPDATE gift_card SET customer_id = $2, revision = revision + 1, updated_at = $4
			WHERE tenant_id = $1 AND customer_id = ANY ($3) RETURNING 1) SELECT count(*) FROM taken`,
		args: []any{m.tenant, m.survivor.party.ID, m.loserIDs(), m.now}, read: readOne(&m.moved.GiftCards),
	})
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
	room := maxAmount - max(to.Balance, to.LifetimeEarned)
	for i, l := range m.losers {
		if a := accounts[l.party.ID]; a != nil && (a.Balance != 0 || a.LifetimeEarned != 0) {
			from = append(from, a)
			if room -= max(a.Balance, a.LifetimeEarned); room < 0 {
				return conflictf(InvalidState, m.loserField(i), "an account holds at most %d points", int64(maxAmount))
			}
		}
	}
	if len(from) == 0 {
		return nil
	}
	if isNew {
		insert(m.change, LoyaltyAccounts, to)
	}
	var fields []string
	for _, a := range from {
		fields = m.transferPoints(a, to)
	}
	altered(m.change, LoyaltyPointsTransferred, LoyaltyAccounts, to, fields, map[string]any{"points": m.moved.Points})
	return nil
}

// transferPoints closes one ledger and continues another. What is left of each lot goes on with
// its dates. It returns the fields of to that changed since it was read.
func (m *merging) transferPoints(from, to *LoyaltyAccount) (changed []string) {
	points, gained, lost := from.Balance, from.LifetimeEarned, -from.LifetimeEarned
	from.Balance, from.LifetimeEarned = 0, 0
	to.Balance, to.LifetimeEarned = to.Balance+points, to.LifetimeEarned+gained
	debit := &LoyaltyTransaction{Type: LoyaltyTransfer, Points: -points, LifetimeMoved: &lost, OccurredAt: m.now}
	credit := &LoyaltyTransaction{Type: LoyaltyTransfer, Points: points, LifetimeMoved: &gained, OccurredAt: m.now}
	fields := update(m.change, LoyaltyAccounts, from)
	changed = update(m.change, LoyaltyAccounts, to)
	m.enter(from, debit)
	m.enter(to, credit)
	m.exec("INSERT INTO loyalty_transaction_link (tenant_id, transaction_id, related_id, points) VALUES ($1, $2, $3, $4)", credit.ID, debit.ID, points)
	m.exec(`INSERT INTO loyalty_lot (tenant_id, id, account_id, transaction_id, points, remaining, available_at, expires_at)
		SELECT $1, gen_random_uuid(), $3, $4, l.remaining, l.remaining, l.available_at, l.expires_at
		FROM loyalty_lot l WHERE l.tenant_id = $1 AND l.account_id = $2 AND l.remaining > 0`, from.ID, to.ID, credit.ID)
	m.debit("true", from.ID, debit.ID, points)
	altered(m.change, LoyaltyPointsTransferred, LoyaltyAccounts, from, fields, map[string]any{"points": -points})
	m.moved.Points += points
	return changed
}

// takeCredit lets the survivor owe what the losers owed. It keeps its own limit, which may be
// passed by that: then it buys nothing more until enough is released. Debts of two currencies
// cannot be added, nor a debt be held against a limit in another one.
// Errors: Conflict (CurrencyMismatch, InvalidState).
func (m *merging) takeCredit(ctx context.Context) error {
	var total int64
	for i, l := range m.losers {
		if l.account == nil || l.account.CreditUsedMinor == 0 {
			continue
		}
		if m.survivor.account == nil {
			if err := m.becomeAccount(ctx, l.account); err != nil {
				return err
			}
		}
		total += l.account.CreditUsedMinor
		if err := m.survivor.account.owe(l.account, m.loserField(i)); err != nil {
			return err
		}
	}
	if total > 0 {
		m.moved.Credit = moneyOf(&total, m.survivor.account.Currency)
	}
	return nil
}

// becomeAccount gives a survivor without an account one that is billed like a loser's. Every
// organisation that was made here has one.
func (m *merging) becomeAccount(ctx context.Context, like *Account) error {
	party := m.survivor.party
	code, err := m.codeOr(ctx, nil, "ACC", party.Number, accountCodeTaken)
	if err != nil {
		return err
	}
	m.survivor.account = &Account{Row: party.Row, Code: code, Status: AccountActive, BillingTermsID: like.BillingTermsID, InvoiceDelivery: like.InvoiceDelivery}
	insert(m.change, Accounts, m.survivor.account)
	// From its first moment it has the party's revision.
	m.survivor.account.Revision = party.Revision
	m.exec("UPDATE account SET revision = $3 WHERE tenant_id = $1 AND id = $2", party.ID, party.Revision)
	return nil
}

// owe takes over what another account owes. Errors: Conflict (CurrencyMismatch, InvalidState).
func (a *Account) owe(other *Account, field string) error {
	if a.Status == AccountDoomed {
		return conflictf(InvalidState, field, "%s are owed: the survivor's account is DOOMED and takes no debt", other.Credit().Used)
	}
	if a.CreditLimitMinor == nil && a.CreditUsedMinor == 0 {
		a.Currency = other.Currency
	}
	if *a.Currency != *other.Currency {
		return conflictf(CurrencyMismatch, field, "%s are owed, and the survivor's account is in %s", other.Credit().Used, *a.Currency)
	}
	if other.CreditUsedMinor > maxAmount-a.CreditUsedMinor {
		return conflictf(InvalidState, field, "an account owes at most %d minor units", int64(maxAmount))
	}
	a.CreditUsedMinor += other.CreditUsedMinor
	other.CreditUsedMinor = 0
	return nil
}

// enterTransfer queues the entry of what the merge changed in the debt of a party, which was
// just saved: an entry has a revision of the account to itself, and a merge makes but one.
func (m *merging) enterTransfer(p *profile) {
	if p.account == nil {
		return
	}
	moved := p.account.CreditUsedMinor
	if was, ok := m.before[p.account].(*Account); ok {
		moved -= was.CreditUsedMinor
	}
	if moved == 0 {
		return
	}
	x := &CreditTransaction{Type: CreditTransfer, Currency: *p.account.Currency, AmountMinor: moved}
	m.enterCredit(p.account, x)
	altered(m.change, CreditTransferred, Accounts, p.account, []string{"creditUsed"}, map[string]any{"transaction": x.NodeID()})
}
