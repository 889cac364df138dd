package crm

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// AccountCredit is how much an account may owe, and owes.
type AccountCredit struct {
	Limit     *Money // nil when no limit is set: then nothing can be bought on credit
	Used      *Money // nil for an account that never had a currency, which owes nothing
	Available *Money // the limit less what is used, not below zero; nil without a limit
	Hold      bool   // buying on credit is stopped, whatever is available
}

// Credit is how much the account may owe, and owes.
func (a *Account) Credit() *AccountCredit {
	credit := &AccountCredit{Limit: moneyOf(a.CreditLimitMinor, a.Currency), Used: moneyOf(&a.CreditUsedMinor, a.Currency), Hold: a.CreditHold}
	if credit.Limit != nil {
		credit.Available = &Money{Minor: a.available(), Currency: credit.Limit.Currency}
	}
	return credit
}

// available is what can still be bought for, in minor units. An account whose limit was lowered,
// or that took over another's debt, may owe more than its limit.
func (a *Account) available() int64 {
	if a.CreditLimitMinor == nil {
		return 0
	}
	return max(0, *a.CreditLimitMinor-a.CreditUsedMinor)
}

// allows says whether the account may buy for an amount on credit now. What is just available
// may be used up; no limit is a limit of nothing (G3N 7).
// Errors: Conflict (CreditHeld, CurrencyMismatch, CreditLimitExceeded), in this order.
func (a *Account) allows(amount Money) error {
	if a.CreditHold {
		return conflictf(CreditHeld, "id", "the credit of the account is on hold")
	}
	if a.Status != AccountActive {
		return conflictf(CreditHeld, "id", "the account is %s, not ACTIVE", a.Status)
	}
	if err := a.accepts(amount.Currency); err != nil {
		return err
	}
	if available := (Money{Minor: a.available(), Currency: amount.Currency}); amount.Minor > available.Minor {
		return conflictf(CreditLimitExceeded, "input.amount", "%s requested, %s available", amount, available)
	}
	return nil
}

// accepts says whether what is owed can be moved in a currency: the account's own, or any while
// it has none. Errors: Conflict (CurrencyMismatch).
func (a *Account) accepts(currency string) error {
	if a.Currency != nil && *a.Currency != currency {
		return conflictf(CurrencyMismatch, "input.amount.currency", "the account is in %s, not in %s", *a.Currency, currency)
	}
	return nil
}

// CreditMove is an amount by which what is owed grows or shrinks.
type CreditMove struct {
	Amount   MoneyInput // more than zero, in the account's currency
	OrderRef *string    // 1 to 128 characters; several entries may have the same
}

// CreditMovement is an entry of the credit ledger and the account after it.
type CreditMovement struct {
	Transaction *CreditTransaction
	Account     *Account
}

// ConsumeCredit lets an account buy on credit: what it owes grows by the amount, to the limit at
// most. However many buy at once, what is owed never passes the limit (G3N 7, 3.7).
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged and InvalidState for a party
// that is closed to changes, before the revision is looked at; after it CreditHeld for an account
// that is on hold or not ACTIVE, CurrencyMismatch, CreditLimitExceeded).
func (st *Store) ConsumeCredit(ctx context.Context, accountID string, in CreditMove, w Write) (*CreditMovement, error) {
	return st.moveCredit(ctx, "accountCreditConsume", accountID, in, w, CreditConsumed, func(c *change, p *profile, amount Money) (*CreditTransaction, error) {
		if err := p.editable("id"); err != nil {
			return nil, err
		}
		if err := c.expected(p.account, p.account.Revision); err != nil {
			return nil, err
		}
		return &CreditTransaction{Type: CreditConsume, Currency: amount.Currency, AmountMinor: amount.Minor}, p.account.allows(amount)
	})
}

// ReleaseCredit takes an amount off what an account owes, down to nothing at most: what is beyond
// is not remembered. It works in every state of the account and its party but for a merged one,
// whose debt is the survivor's, and looks at no revision. Each call is an entry of its own, also
// one that released nothing; only an idempotency key makes two of them one (G3N 8).
// Errors: as perform, Invalid, NotFound, Conflict (PartyMerged, CurrencyMismatch).
func (st *Store) ReleaseCredit(ctx context.Context, accountID string, in CreditMove, w Write) (*CreditMovement, error) {
	return st.moveCredit(ctx, "accountCreditRelease", accountID, in, w, CreditReleased, func(_ *change, p *profile, amount Money) (*CreditTransaction, error) {
		if p.party.Status == PartyMerged {
			return nil, p.editable("id")
		}
		released := min(amount.Minor, p.account.CreditUsedMinor)
		return &CreditTransaction{Type: CreditRelease, Currency: amount.Currency, AmountMinor: -released}, p.account.accepts(amount.Currency)
	})
}

// moveCredit is one movement of what an account owes, in two round trips. decide says by which
// entry.
func (st *Store) moveCredit(ctx context.Context, name, accountID string, in CreditMove, w Write, event EventType,
	decide func(*change, *profile, Money) (*CreditTransaction, error),
) (*CreditMovement, error) {
	var id uuid.UUID
	var amount Money
	check := func(p *problems) {
		id = Accounts.id(p, "id", accountID)
		amount = p.movement("input.amount", in.Amount)
		in.OrderRef = p.text("input.orderRef", in.OrderRef, maxOrderRef)
	}
	var found func() map[uuid.UUID]*profile
	ask := func(c *change) (statements []statement) {
		statements, found = c.profilesOf(id)
		return statements
	}
	op := operation{name, []Permission{CreditEdit}}
	return post(ctx, op, w, []any{accountID, &in}, check, ask, func(_ context.Context, c *change) (*CreditMovement, error) {
		p := found()[id]
		if p == nil || p.account == nil {
			return nil, missing("id", Accounts)
		}
		x, err := decide(c, p, amount)
		if err != nil {
			return nil, err
		}
		x.OrderRef = in.OrderRef
		p.account.CreditUsedMinor += x.AmountMinor
		fields := c.save(p)
		c.enterCredit(p.account, x)
		altered(c, event, Accounts, p.account, fields, map[string]any{"transaction": x.NodeID()})
		return &CreditMovement{x, p.account}, nil
	})
}

// enterCredit queues an entry that made an account what it is.
func (c *change) enterCredit(a *Account, x *CreditTransaction) {
	x.AccountID, x.Sequence, x.UsedAfterMinor, x.CreditLimitMinor, x.Actor = a.ID, a.Revision, a.CreditUsedMinor, a.CreditLimitMinor, c.actor
	x.Reason, x.SourceRefs = c.why()
	insert(c, CreditTransactions, x)
}

// CreditUpdate changes how much an account may owe: what is left out stays.
type CreditUpdate struct {
	Limit graphql.Omittable[*MoneyInput] `json:",omitzero"` // null takes the limit away, and with it all credit
	Hold  graphql.Omittable[*bool]       `json:",omitzero"` // cannot be cleared
}

func (in *CreditUpdate) check(p *problems) (limit *Money) {
	if v := in.Limit.Value(); v != nil {
		m := p.money("input.limit", *v)
		limit = &m
	}
	patchRequired(p, "input.hold", &in.Hold, func(v *bool) *bool { return v })
	return limit
}

// UpdateCredit changes the limit or the hold of an account. The limit may be lowered below what
// is owed: then nothing more can be bought until enough is released. It may be in another
// currency once nothing is owed; an account whose limit is taken away keeps its currency (G3N 12).
// Errors: as perform, Invalid, NotFound, Stale, Conflict (CurrencyMismatch, PartyMerged, InvalidState).
func (*Store) UpdateCredit(ctx context.Context, accountID string, in CreditUpdate, w Write) (*Account, error) {
	var id uuid.UUID
	var limit *Money
	check := func(p *problems) {
		id = Accounts.id(p, "id", accountID)
		limit = in.check(p)
	}
	op := operation{"accountCreditUpdate", []Permission{CreditLimit}}
	return perform(ctx, op, w, []any{accountID, &in}, check, func(ctx context.Context, c *change) (*Account, error) {
		p, err := c.accountTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		limited := false
		if in.Limit.IsSet() {
			if limited, err = p.account.limitTo(limit); err != nil {
				return nil, err
			}
		}
		applyRequired(&p.account.CreditHold, in.Hold)
		fields := c.save(p)
		var details map[string]any
		if limited {
			x := c.enterLimit(p.account)
			details = map[string]any{"transaction": x.NodeID()}
		}
		altered(c, CreditChanged, Accounts, p.account, fields, details)
		return p.account, nil
	})
}

// limitTo sets the limit, nil for none, and says whether it is another one.
// Errors: Conflict (CurrencyMismatch).
func (a *Account) limitTo(limit *Money) (another bool, err error) {
	was := moneyOf(a.CreditLimitMinor, a.Currency)
	switch {
	case limit == nil:
		a.CreditLimitMinor = nil
		return was != nil, nil
	case a.CreditUsedMinor > 0 && *a.Currency != limit.Currency:
		return false, conflictf(CurrencyMismatch, "input.limit.currency", "%s are owed: until they are released the limit is in %s",
			moneyOf(&a.CreditUsedMinor, a.Currency), *a.Currency)
	default:
		a.CreditLimitMinor, a.Currency = &limit.Minor, &limit.Currency
		return was == nil || *was != *limit, nil
	}
}

// enterLimit queues the entry of a new limit.
func (c *change) enterLimit(a *Account) *CreditTransaction {
	x := &CreditTransaction{Type: CreditLimitChange, Currency: *a.Currency}
	c.enterCredit(a, x)
	return x
}
