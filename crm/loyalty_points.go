package crm

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// LoyaltyMovement is an entry of the points ledger and the account after it.
type LoyaltyMovement struct {
	Transaction *LoyaltyTransaction
	Account     *LoyaltyAccount
}

// move is one operation on a customer's points, in two round trips. ask may read more than the
// holder, and book queues the entry.
func (st *Store) move(ctx context.Context, name string, in *pointsMove, w Write, check func(*problems),
	ask func(*change) []statement, book func(context.Context, *holder) (*LoyaltyMovement, error),
) (*LoyaltyMovement, error) {
	var held func() (*holder, error)
	return post(ctx, operation{name, []Permission{LoyaltyEdit}}, w, in.input,
		func(p *problems) {
			in.id = Customers.id(p, "input.customerId", in.customer)
			in.orderRef = p.text("input.orderRef", in.orderRef, maxOrderRef)
			if in.ordered && in.orderRef == nil {
				p.add("input.orderRef", "a value is required")
			}
			in.channel = p.channel("input.channel", in.channel)
			check(p)
		},
		func(c *change) []statement {
			var statements []statement
			statements, held = c.holder(in.id, "input.customerId", in.channel, in.at)
			return append(statements, ask(c)...)
		},
		func(ctx context.Context, _ *change) (*LoyaltyMovement, error) {
			h, err := held()
			if err != nil {
				return nil, err
			}
			return book(ctx, h)
		})
}

// pointsMove is what all operations on points are told.
type pointsMove struct {
	input    any
	customer string
	id       uuid.UUID
	orderRef *string
	ordered  bool // whether an order is needed
	channel  *string
	at       *time.Time // that the policy must hold at; now when nil
}

// maxOrderRef bounds the reference of an order, in characters.
const maxOrderRef = 128

// nothingMore asks for nothing.
func nothingMore(*change) []statement { return nil }

// LoyaltyEarning is a purchase that earns points.
type LoyaltyEarning struct {
	CustomerID string
	OrderRef   string     // 1 to 128 characters; several entries may have the same
	Amount     MoneyInput // more than zero
	Channel    *string
	OccurredAt *time.Time // not in the future; now when nil
}

// EarnPoints posts the points of a purchase by the policy that held when it happened. They are
// pending for the policy's days, and expire after its days from then. A purchase that earns
// nothing is posted all the same. The same order may earn again (G3N 48).
// Errors: as perform, Invalid, NotFound, Conflict (NoLoyaltyPolicy, CurrencyMismatch,
// PartyMerged, InvalidState).
func (st *Store) EarnPoints(ctx context.Context, in LoyaltyEarning, w Write) (*LoyaltyMovement, error) {
	var amount Money
	m := pointsMove{input: &in, customer: in.CustomerID, orderRef: &in.OrderRef, ordered: true, channel: in.Channel}
	check := func(p *problems) {
		amount = p.movement("input.amount", in.Amount)
		m.at = p.past("input.occurredAt", in.OccurredAt, st.Now())
	}
	return st.move(ctx, "loyaltyEarn", &m, w, check, nothingMore, func(_ context.Context, h *holder) (*LoyaltyMovement, error) {
		at := *valueAt(m.at, &h.now)
		quote, err := h.policy.quote(amount, m.channel, at, "input.amount")
		if err != nil {
			return nil, err
		}
		if err := h.fits(quote.Points, "input.amount"); err != nil {
			return nil, err
		}
		h.account.LifetimeEarned += quote.Points
		return h.credit(LoyaltyPointsEarned, &LoyaltyTransaction{
			Type: LoyaltyEarn, Points: quote.Points, Currency: &amount.Currency, AmountMinor: &amount.Minor, PolicyVersion: &quote.Policy.Version,
			Channel: m.channel, OrderRef: m.orderRef, AvailableAt: &quote.AvailableAt, ExpiresAt: quote.ExpiresAt, OccurredAt: at,
		}), nil
	})
}

// LoyaltyQuote is what a purchase would earn.
type LoyaltyQuote struct {
	Points      int64
	Policy      *LoyaltyPolicy
	Amount      *Money
	AvailableAt time.Time
	ExpiresAt   *time.Time
	Status      LoyaltyTransactionStatus
}

// quote is what a purchase at a time earns. Errors: Invalid, Conflict (NoLoyaltyPolicy,
// CurrencyMismatch).
func (p *LoyaltyPolicy) quote(amount Money, channel *string, at time.Time, field string) (*LoyaltyQuote, error) {
	if p == nil {
		return nil, conflictf(NoLoyaltyPolicy, "", "no loyalty policy holds at that time")
	}
	points, err := p.earned(amount, channel, field)
	if err != nil {
		return nil, err
	}
	q := &LoyaltyQuote{Points: points, Policy: p, Amount: &amount}
	q.AvailableAt, q.ExpiresAt = p.lifetime(at, true)
	return q, nil
}

// PreviewPoints tells what EarnPoints would post for a purchase at a time, now when nil. It
// writes nothing (G3N 52). Errors: Unauthenticated, Forbidden, Invalid, Conflict
// (NoLoyaltyPolicy, CurrencyMismatch), Unavailable.
func (st *Store) PreviewPoints(ctx context.Context, in MoneyInput, channel *string, at *time.Time) (*LoyaltyQuote, error) {
	s, err := begin(ctx, LoyaltyView)
	if err != nil {
		return nil, err
	}
	var p problems
	amount := p.movement("amount", in)
	channel, at = p.channel("channel", channel), p.past("at", at, st.Now())
	if err := p.err(); err != nil {
		return nil, err
	}
	when := *valueAt(at, &s.now)
	policy, err := s.policyLoader().Load(ctx, policyKey{deref(channel), when})()
	if err != nil {
		return nil, err
	}
	quote, err := policy.quote(amount, channel, when, "amount")
	if err != nil {
		return nil, err
	}
	quote.Status = LoyaltyPosted
	if quote.AvailableAt.After(s.now) {
		quote.Status = LoyaltyPending
	}
	return quote, nil
}

// LoyaltyRedemption spends points on an order.
type LoyaltyRedemption struct {
	CustomerID string
	OrderRef   string // 1 to 128 characters; several entries may have the same
	Points     int64  // 1 and more
	Channel    *string
}

// RedeemPoints spends points that are spendable now, those that expire first being first, within
// the bounds of the policy that holds now (G3N 54).
// Errors: as perform, Invalid, NotFound, Conflict (InsufficientPoints, RedeemBelowMinimum,
// RedeemAboveMaximum, RedeemNotInBlocks, PartyMerged, InvalidState).
func (st *Store) RedeemPoints(ctx context.Context, in LoyaltyRedemption, w Write) (*LoyaltyMovement, error) {
	m := pointsMove{input: &in, customer: in.CustomerID, orderRef: &in.OrderRef, ordered: true, channel: in.Channel}
	check := func(p *problems) {
		p.pointCount("input.points", &in.Points)
	}
	return st.move(ctx, "loyaltyRedeem", &m, w, check, nothingMore, func(_ context.Context, h *holder) (*LoyaltyMovement, error) {
		if err := h.policy.redeemable(in.Points); err != nil {
			return nil, err
		}
		value, err := h.policy.worth(in.Points)
		if err != nil {
			return nil, err
		}
		if err := h.affords(in.Points, "input.points"); err != nil {
			return nil, err
		}
		x := &LoyaltyTransaction{Type: LoyaltyRedeem, Points: -in.Points, Channel: m.channel, OrderRef: m.orderRef, OccurredAt: h.now}
		if value != nil {
			x.RedeemValueMinor, x.Currency = &value.Minor, &value.Currency
		}
		if h.policy != nil {
			x.PolicyVersion = &h.policy.Version
		}
		return h.spend(LoyaltyPointsRedeemed, x), nil
	})
}

// LoyaltyAdjustment corrects points by hand.
type LoyaltyAdjustment struct {
	CustomerID string
	Points     int64 // not zero; negative takes away
	OrderRef   *string
}

// AdjustPoints gives points, which expire by the policy that holds now, or takes spendable ones
// away. Lifetime points stay (G3N 47).
// Errors: as perform, Invalid, NotFound, Conflict (InsufficientPoints, PartyMerged, InvalidState).
func (st *Store) AdjustPoints(ctx context.Context, in LoyaltyAdjustment, w Write) (*LoyaltyMovement, error) {
	m := pointsMove{input: &in, customer: in.CustomerID, orderRef: in.OrderRef}
	check := func(p *problems) {
		if in.Points == 0 || in.Points > maxAmount || in.Points < -maxAmount {
			p.add("input.points", "a number of points other than 0, at most %d in size, is needed", int64(maxAmount))
		}
	}
	return st.move(ctx, "loyaltyAdjust", &m, w, check, nothingMore, func(_ context.Context, h *holder) (*LoyaltyMovement, error) {
		x := &LoyaltyTransaction{Type: LoyaltyAdjust, Points: in.Points, OrderRef: m.orderRef, OccurredAt: h.now}
		if in.Points < 0 {
			if err := h.affords(-in.Points, "input.points"); err != nil {
				return nil, err
			}
			return h.spend(LoyaltyPointsAdjusted, x), nil
		}
		if err := h.fits(in.Points, "input.points"); err != nil {
			return nil, err
		}
		h.valid(x)
		return h.credit(LoyaltyPointsAdjusted, x), nil
	})
}

// LoyaltyCorrection names earlier entries that are answered: one by its id, or all of an order,
// but not both.
type LoyaltyCorrection struct {
	CustomerID    string
	TransactionID *string
	OrderRef      *string
	Points        *int64 // 1 and more; all that is left when nil
}

// ReversePoints takes back points that were earned, and lowers what was earned in the lifetime:
// points still pending first, then spendable ones. A part may be taken back; never more than was
// earned. Several purchases of an order are answered by one entry, the oldest first (G3N 56).
// Errors: as perform, Invalid, NotFound, Conflict (AlreadyReversed, InsufficientPoints,
// InvalidState, PartyMerged).
func (st *Store) ReversePoints(ctx context.Context, in LoyaltyCorrection, w Write) (*LoyaltyMovement, error) {
	return st.answer(ctx, "loyaltyReverse", in, w, LoyaltyEarn, AlreadyReversed, func(_ context.Context, h *holder, a *answered, points int64) (*LoyaltyMovement, error) {
		if err := h.affords(points-a.pending(), "input.points"); err != nil {
			return nil, err
		}
		h.account.LifetimeEarned -= points
		x := &LoyaltyTransaction{Type: LoyaltyReverse, Points: -points, OrderRef: a.orderRef, OccurredAt: h.now}
		return h.spend(LoyaltyPointsReversed, x, a.entries...), nil
	})
}

// RestorePoints gives back points that were redeemed. They can be spent at once, and expire as
// points that come in now. A part may be given back; never more than was redeemed. Several
// redemptions of an order are answered by one entry, the oldest first (G3N 55).
// Errors: as perform, Invalid, NotFound, Conflict (RestoreExceeds, InvalidState, PartyMerged).
func (st *Store) RestorePoints(ctx context.Context, in LoyaltyCorrection, w Write) (*LoyaltyMovement, error) {
	return st.answer(ctx, "loyaltyRestore", in, w, LoyaltyRedeem, RestoreExceeds, func(ctx context.Context, h *holder, a *answered, points int64) (*LoyaltyMovement, error) {
		if err := h.fits(points, "input.points"); err != nil {
			return nil, err
		}
		if err := h.heedChannel(ctx, a.entries[0].channel); err != nil {
			return nil, err
		}
		x := &LoyaltyTransaction{Type: LoyaltyRestore, Points: points, Channel: a.entries[0].channel, OrderRef: a.orderRef, OccurredAt: h.now}
		h.valid(x)
		return h.credit(LoyaltyPointsRestored, x), nil
	})
}

// answered are earlier entries of one kind, with what of them is not answered yet.
type answered struct {
	entries  []answeredEntry
	orderRef *string
}

type answeredEntry struct {
	id      uuid.UUID
	kind    LoyaltyTransactionType
	channel *string
	left    int64
	pending int64 // of the points that it brought
	take    int64 // by the operation
}

// fromPending are the points that are taken from those that the entry brought and that cannot be
// spent yet.
func (e answeredEntry) fromPending() int64 { return min(e.take, e.pending) }

// pending is that of all entries.
func (a *answered) pending() (points int64) {
	for _, e := range a.entries {
		points += e.fromPending()
	}
	return points
}

// answer books an entry that takes earlier ones of a kind back, as far as that was not done
// before. exceeded is the reason why it cannot.
func (st *Store) answer(ctx context.Context, name string, in LoyaltyCorrection, w Write, kind LoyaltyTransactionType, exceeded Reason,
	book func(ctx context.Context, h *holder, a *answered, points int64) (*LoyaltyMovement, error),
) (*LoyaltyMovement, error) {
	m := pointsMove{input: &in, customer: in.CustomerID, orderRef: in.OrderRef}
	var one *uuid.UUID
	check := func(p *problems) {
		one = LoyaltyTransactions.optionalID(p, "input.transactionId", in.TransactionID)
		if (in.TransactionID == nil) == (m.orderRef == nil) {
			p.add("input", "either a transaction or an order is needed, not both")
		}
		p.pointCount("input.points", in.Points)
	}
	var a *answered
	ask := func(c *change) []statement {
		a = &answered{orderRef: m.orderRef}
		return []statement{c.unanswered(m.id, kind, one, a)}
	}
	return st.move(ctx, name, &m, w, check, ask, func(ctx context.Context, h *holder) (*LoyaltyMovement, error) {
		points, err := a.take(kind, in.Points, exceeded, one != nil)
		if err != nil {
			return nil, err
		}
		movement, err := book(ctx, h, a, points)
		if err != nil {
			return nil, err
		}
		for _, e := range a.entries {
			if e.take > 0 {
				h.exec("INSERT INTO loyalty_transaction_link (tenant_id, transaction_id, related_id, points) VALUES ($1, $2, $3, $4)",
					movement.Transaction.ID, e.id, e.take)
			}
		}
		return movement, nil
	})
}

// unanswered reads the entries of a customer that have an id, or that are of a kind and of a's
// order, the oldest first, after those of the customers that were merged into it.
func (c *change) unanswered(account uuid.UUID, kind LoyaltyTransactionType, one *uuid.UUID, a *answered) statement {
	return statement{
		sql: `SELECT x.id, x.type, x.channel, x.order_ref, abs(x.points) - coalesce((SELECT sum(l.points) FROM loyalty_transaction_link l
				WHERE l.tenant_id = $1 AND l.related_id = x.id), 0)::bigint,
			coalesce((SELECT sum(l.remaining) FROM loyalty_lot l
				WHERE l.tenant_id = $1 AND l.transaction_id = x.id AND l.account_id = $2 AND l.available_at > ` + accountTime("$6") + `), 0)::bigint
			FROM loyalty_transaction x LEFT JOIN loyalty_account t ON t.tenant_id = $1 AND t.id = $2 WHERE x.tenant_id = $1 AND (x.id = $3 OR x.order_ref = $4 AND x.type = $5)
			AND x.account_id IN (SELECT $2::uuid UNION ALL SELECT p.id FROM party p WHERE p.tenant_id = $1 AND p.merged_into_id = $2)
			ORDER BY x.account_id = $2, x.account_id, x.sequence`,
		args: []any{c.tenant, account, one, a.orderRef, kind, c.now},
		read: func(rows pgx.Rows) error {
			var e answeredEntry
			var order *string
			_, err := pgx.ForEachRow(rows, []any{&e.id, &e.kind, &e.channel, &order, &e.left, &e.pending}, func() error {
				a.entries, a.orderRef = append(a.entries, e), order
				return nil
			})
			return err
		},
	}
}

// take says how much of each entry is answered: of points in all, or of all that is left.
// Errors: NotFound, Conflict.
func (a *answered) take(kind LoyaltyTransactionType, points *int64, exceeded Reason, byID bool) (int64, error) {
	field := "input.orderRef"
	if byID {
		field = "input.transactionId"
	}
	if len(a.entries) == 0 {
		return 0, missing(field, LoyaltyTransactions)
	}
	var left int64
	for _, e := range a.entries {
		if e.kind != kind {
			return 0, conflictf(InvalidState, field, "the transaction is %s, not %s", e.kind, kind)
		}
		left += e.left
	}
	wanted := left
	if points != nil {
		wanted = *points
	}
	if left == 0 || wanted > left {
		return 0, conflictf(exceeded, field, "%d points requested, %d left of those booked", max(wanted, 1), left)
	}
	open := wanted
	for i := range a.entries {
		e := &a.entries[i]
		e.take = min(open, e.left)
		open -= e.take
	}
	return wanted, nil
}

// LoyaltyExpiry is what a sweep of expired points did.
type LoyaltyExpiry struct {
	Transaction   *LoyaltyTransaction // nil when nothing had expired
	Account       *LoyaltyAccount     // nil when the customer never had points
	ExpiredPoints int64
}

// ExpirePoints books the points that had expired by a time, now when nil. They could not be
// spent before either. Lifetime points stay (G3N 49). The customer may be in any state.
// Errors: as perform, Invalid, NotFound.
func (st *Store) ExpirePoints(ctx context.Context, customerID string, asOf *time.Time, w Write) (*LoyaltyExpiry, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Customers.id(p, "customerId", customerID)
		asOf = p.past("asOf", asOf, st.Now())
	}
	var held func() (*holder, error)
	var expired int64
	ask := func(c *change) []statement {
		var statements []statement
		statements, held = c.holder(id, "customerId", nil, nil)
		return append(statements, statement{
			sql:  "SELECT coalesce(sum(l.remaining), 0)::bigint FROM loyalty_lot l WHERE l.tenant_id = $1 AND l.account_id = $2 AND l.remaining > 0 AND l.expires_at <= $3",
			args: []any{c.tenant, id, *valueAt(asOf, &c.now)}, read: readOne(&expired),
		})
	}
	op := operation{"loyaltyExpire", []Permission{LoyaltyEdit}}
	return post(ctx, op, w, []any{customerID, asOf}, check, ask, func(_ context.Context, c *change) (*LoyaltyExpiry, error) {
		h, err := held()
		if err != nil && CodeOf(err) != Conflict {
			return nil, err
		}
		done := &LoyaltyExpiry{ExpiredPoints: expired}
		if h.joined {
			done.Account = h.account
		}
		if expired == 0 {
			return done, nil
		}
		at := *valueAt(asOf, &c.now)
		x := &LoyaltyTransaction{Type: LoyaltyExpire, Points: -expired, OccurredAt: at}
		h.book(LoyaltyPointsExpired, x)
		h.debit("l.expires_at <= $5", h.account.ID, x.ID, expired, at)
		done.Transaction = x
		return done, nil
	})
}

// LoyaltyRecalculation is what recomputing a balance from its ledger found.
type LoyaltyRecalculation struct {
	Account *LoyaltyAccount // after it; nil when the customer never had points
	Drift   LoyaltyDrift
}

// LoyaltyDrift is by how much the figures of an account were more than its ledger says.
type LoyaltyDrift struct {
	AvailablePoints int64
	PendingPoints   int64
	LifetimeEarned  int64
	Balance         int64
	Corrected       bool // whether anything was set right
}

// RecalculatePoints rebuilds a customer's balance and what is left of its lots from the ledger.
// It writes no entry, and nothing at all when all is right, which it always should be (G3N 53).
// The customer may be in any state. Errors: as perform, Invalid, NotFound.
func (*Store) RecalculatePoints(ctx context.Context, customerID string, w Write) (*LoyaltyRecalculation, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Customers.id(p, "customerId", customerID) }
	op := operation{"loyaltyRecalculate", []Permission{LoyaltyEdit}}
	return perform(ctx, op, w, customerID, check, func(ctx context.Context, c *change) (*LoyaltyRecalculation, error) {
		statements, held := c.holder(id, "customerId", nil, nil)
		if err := c.send(ctx, statements...); err != nil {
			return nil, err
		}
		h, err := held()
		if err != nil && CodeOf(err) != Conflict {
			return nil, err
		}
		if !h.joined {
			return &LoyaltyRecalculation{}, nil
		}
		was := *h.account
		corrected, err := h.recompute(ctx)
		if err != nil {
			return nil, err
		}
		is := h.account
		if corrected {
			altered(c, LoyaltyBalanceCorrected, LoyaltyAccounts, is, update(c, LoyaltyAccounts, is), nil)
		}
		return &LoyaltyRecalculation{is, LoyaltyDrift{
			AvailablePoints: was.AvailablePoints - is.AvailablePoints, PendingPoints: was.PendingPoints - is.PendingPoints,
			LifetimeEarned: was.LifetimeEarned - is.LifetimeEarned, Balance: was.Balance - is.Balance, Corrected: corrected,
		}}, nil
	})
}

// past checks a time that is not in the future.
func (p *problems) past(field string, value *time.Time, now time.Time) *time.Time {
	at := p.instant(field, value)
	if at != nil && at.After(now) {
		p.add(field, "a time in the future is not possible")
	}
	return at
}
