package crm

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// holder is a customer whose points an operation moves: under lock, as they are now.
type holder struct {
	*change

	account *LoyaltyAccount // a new one when the customer never had any
	joined  bool            // whether it had
	policy  *LoyaltyPolicy  // that holds for the operation, nil when none does
}

// holder reads a customer's points, and the policy for a channel at a time, now when nil. The
// customer may be in any state but for those that are closed to changes. field is where its id
// was given. Errors, by the second result: NotFound, Conflict (PartyMerged, InvalidState).
func (c *change) holder(id uuid.UUID, field string, channel *string, at *time.Time) ([]statement, func() (*holder, error)) {
	lock, locked := c.lockCustomer(id)
	account, accounts := LoyaltyAccounts.rowsOf(c.session, LoyaltyAccounts.byIDs, ids(id))
	policy, found := c.policyAt(channel, *valueAt(at, &c.now))
	return []statement{lock, account, policy}, func() (*holder, error) {
		if *locked == nil {
			return nil, missing(field, Customers)
		}
		h := &holder{change: c, account: accounts[id], joined: accounts[id] != nil, policy: *found}
		if !h.joined {
			h.account = &LoyaltyAccount{Row: Row{TenantID: c.tenant, ID: id}}
		}
		if last := h.account.UpdatedAt; last.After(c.now) {
			c.now = last // see accountTime
		}
		remember(c, h.account)
		p := &profile{party: *locked}
		return h, p.editable(field)
	}
}

// lockCustomer locks the party of a customer, as all do that change it, and reads no more of it
// than whether it is closed to changes. The party is nil when there is no such customer.
func (c *change) lockCustomer(id uuid.UUID) (statement, **Party) {
	var locked *Party
	return statement{
		sql: `SELECT p.status, p.merged_into_id, p.deactivated_at FROM party p JOIN customer t ON t.tenant_id = $1 AND t.id = p.id
			WHERE p.tenant_id = $1 AND p.id = $2 FOR NO KEY UPDATE OF p`,
		args: []any{c.tenant, id},
		read: func(rows pgx.Rows) error {
			var p Party
			_, err := pgx.ForEachRow(rows, []any{&p.Status, &p.MergedIntoID, &p.DeactivatedAt}, func() error {
				locked = &p
				return nil
			})
			return err
		},
	}, &locked
}

// heedChannel reads the policy that holds for a channel now, in place of that of all channels.
func (h *holder) heedChannel(ctx context.Context, channel *string) error {
	if channel == nil {
		return nil
	}
	policy, found := h.policyAt(channel, h.now)
	if err := h.query(ctx, policy); err != nil {
		return err
	}
	h.policy = *found
	return nil
}

// valid says when the points that an entry brings can be spent: from now on, until the policy
// lets them expire.
func (h *holder) valid(x *LoyaltyTransaction) {
	available, expires := h.policy.lifetime(h.now, false)
	x.AvailableAt, x.ExpiresAt = &available, expires
	if h.policy != nil {
		x.PolicyVersion = &h.policy.Version
	}
}

// fits checks that points can be added. Errors: Conflict.
func (h *holder) fits(points int64, field string) error {
	if a := h.account; points > maxAmount-max(a.Balance, a.LifetimeEarned) {
		return conflictf(InvalidState, field, "an account holds at most %d points", int64(maxAmount))
	}
	return nil
}

// affords checks that so many points can be spent now. Errors: Conflict (InsufficientPoints).
func (h *holder) affords(points int64, field string) error {
	if has := h.account.AvailablePoints; points > has {
		return conflictf(InsufficientPoints, field, "%d points requested, %d available", points, has)
	}
	return nil
}

// credit books an entry that brings points, as a lot of their own.
func (h *holder) credit(event EventType, x *LoyaltyTransaction) *LoyaltyMovement {
	h.book(event, x)
	if x.Points > 0 {
		insert(h.change, LoyaltyLots, &LoyaltyLot{
			AccountID: x.AccountID, TransactionID: x.ID, Points: x.Points, Remaining: x.Points, AvailableAt: *x.AvailableAt, ExpiresAt: x.ExpiresAt,
		})
	}
	switch {
	case x.AvailableAt.After(h.now):
		h.account.PendingPoints += x.Points
	case x.ExpiresAt == nil || x.ExpiresAt.After(h.now):
		h.account.AvailablePoints += x.Points
	}
	return &LoyaltyMovement{Transaction: x, Account: h.account}
}

// spend books an entry that takes points: of each entry that it answers those that came with it and
// are still pending, as far as it takes from that entry, then spendable ones.
func (h *holder) spend(event EventType, x *LoyaltyTransaction, answered ...answeredEntry) *LoyaltyMovement {
	h.book(event, x)
	points := -x.Points
	for _, e := range answered {
		if n := e.fromPending(); n > 0 {
			h.debit("l.available_at > $5 AND l.transaction_id = $6", x.AccountID, x.ID, n, h.now, e.id)
			h.account.PendingPoints -= n
			points -= n
		}
	}
	if points > 0 {
		h.debit(spendable("$5"), x.AccountID, x.ID, points, h.now)
		h.account.AvailablePoints -= points
	}
	return &LoyaltyMovement{Transaction: x, Account: h.account}
}

// book queues an entry, and the account and the event with it.
func (h *holder) book(event EventType, x *LoyaltyTransaction) {
	a := h.account
	a.Balance += x.Points
	var fields []string
	if h.joined {
		fields = update(h.change, LoyaltyAccounts, a)
	} else {
		insert(h.change, LoyaltyAccounts, a)
	}
	h.enter(a, x)
	altered(h.change, event, LoyaltyAccounts, a, fields, map[string]any{"transaction": x.NodeID(), "points": x.Points})
}

// enter queues an entry that made an account what it is.
func (c *change) enter(a *LoyaltyAccount, x *LoyaltyTransaction) {
	x.AccountID, x.Sequence, x.BalanceAfter = a.ID, a.Revision, a.Balance
	x.Reason, x.SourceRefs = c.why()
	insert(c, LoyaltyTransactions, x)
}

// spendable is the condition that the points of a lot l can be spent at a time.
func spendable(at string) string {
	return "l.available_at <= " + at + " AND (l.expires_at IS NULL OR l.expires_at > " + at + ")"
}

// debit queues taking points from the lots l of an account that a condition holds for: those that
// expire first, then the oldest. Its values start at $5. Lots that hold too
// little are an error of the database, for whoever calls has counted.
func (c *change) debit(condition string, account, transaction uuid.UUID, points int64, more ...any) {
	c.exec(`WITH open AS (
		SELECT l.id, l.remaining, (sum(l.remaining) OVER (ORDER BY l.expires_at, l.available_at, l.id) - l.remaining)::bigint AS before
		FROM loyalty_lot l WHERE l.tenant_id = $1 AND l.account_id = $2 AND l.remaining > 0 AND `+condition+`
	), taken AS (
		UPDATE loyalty_lot l SET remaining = l.remaining - least(o.remaining, $4 - o.before) FROM open o
		WHERE l.tenant_id = $1 AND l.id = o.id AND o.before < $4
		RETURNING l.id, least(o.remaining, $4 - o.before) AS points
	)
	INSERT INTO loyalty_lot_debit (tenant_id, lot_id, transaction_id, points)
	SELECT $1, id, $3::uuid, points FROM taken
	UNION ALL SELECT $1, NULL, $3::uuid, NULL WHERE (SELECT coalesce(sum(points), 0) FROM taken) <> $4`,
		append([]any{account, transaction, points}, more...)...)
}

// lifetimeOf is what an entry x adds to the points earned in the lifetime.
const lifetimeOf = "CASE x.type WHEN 'EARN' THEN x.points WHEN 'REVERSE' THEN x.points WHEN 'TRANSFER' THEN x.lifetime_moved ELSE 0 END"

// recompute sets what is left of the lots, and the account, to what the ledger says.
func (h *holder) recompute(ctx context.Context) (corrected bool, err error) {
	var lots int
	var balance, lifetime int64
	account, accounts := LoyaltyAccounts.rowsOf(h.session, LoyaltyAccounts.byIDs, ids(h.account.ID))
	err = h.send(ctx, statement{
		sql: `WITH truth AS (
			SELECT l.id, l.points - coalesce(sum(d.points), 0)::bigint AS remaining FROM loyalty_lot l
			LEFT JOIN loyalty_lot_debit d ON d.tenant_id = $1 AND d.lot_id = l.id
			WHERE l.tenant_id = $1 AND l.account_id = $2 GROUP BY l.id, l.points
		), corrected AS (
			UPDATE loyalty_lot l SET remaining = truth.remaining FROM truth
			WHERE l.tenant_id = $1 AND l.id = truth.id AND l.remaining <> truth.remaining RETURNING 1
		) SELECT count(*) FROM corrected`,
		args: []any{h.tenant, h.account.ID}, read: readOne(&lots),
	}, statement{
		sql:  "SELECT coalesce(sum(x.points), 0)::bigint, coalesce(sum(" + lifetimeOf + "), 0)::bigint FROM loyalty_transaction x WHERE x.tenant_id = $1 AND x.account_id = $2",
		args: []any{h.tenant, h.account.ID},
		read: func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&balance, &lifetime}, func() error { return nil })
			return err
		},
	}, account)
	if err != nil {
		return false, err
	}
	a := h.account
	corrected = lots > 0 || a.Balance != balance || a.LifetimeEarned != lifetime
	a.AvailablePoints, a.PendingPoints = accounts[a.ID].AvailablePoints, accounts[a.ID].PendingPoints
	a.Balance, a.LifetimeEarned = balance, lifetime
	return corrected, nil
}
