package crm

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// GiftCardIssue is a new gift card.
type GiftCardIssue struct {
	Amount     MoneyInput // more than zero
	Code       *string    // 2 to 32 of the characters A-Z 0-9 _ -, kept in upper case; one is made up when nil
	CustomerID *string    // whom it is sold or given to
	OrderRef   *string    // at most 128 characters
	ExpiresAt  *time.Time // in the future; nil = never
}

// IssuedGiftCard is a new gift card and its code, which nobody can read from it later.
type IssuedGiftCard struct {
	Card *GiftCard
	Code string // as it is shown
}

// IssueGiftCard makes a gift card, ACTIVE, worth its amount. The customer may be in any state but
// for those that are closed to changes. With an idempotency key the code is kept for 24 hours,
// with the answer, so that who lost the answer gets it by sending the same again; it is kept
// nowhere else (G3N 40, 1.4).
// Errors: as perform, Invalid, NotFound for the customer, Conflict (CodeInUse, PartyMerged,
// InvalidState).
func (*Store) IssueGiftCard(ctx context.Context, in GiftCardIssue, w Write) (*IssuedGiftCard, error) {
	var amount Money
	var customer *uuid.UUID
	check := func(p *problems) {
		amount = p.movement("input.amount", in.Amount)
		in.Code = p.code("input.code", in.Code)
		customer = Customers.optionalID(p, "input.customerId", in.CustomerID)
		in.OrderRef = p.text("input.orderRef", in.OrderRef, maxOrderRef)
		in.ExpiresAt = p.instant("input.expiresAt", in.ExpiresAt)
	}
	op := operation{"giftCardIssue", []Permission{GiftCardEdit}}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*IssuedGiftCard, error) {
		// Not before the key is looked at: a replay may come after the card's end.
		if in.ExpiresAt != nil && !in.ExpiresAt.After(c.now) {
			return nil, invalidf("input.expiresAt", "a time in the future is needed")
		}
		if customer != nil {
			if _, err := c.editableCustomer(ctx, *customer, "input.customerId"); err != nil {
				return nil, err
			}
		}
		card := &GiftCard{
			StoredStatus: GiftCardActive, Currency: amount.Currency, InitialMinor: amount.Minor, BalanceMinor: amount.Minor,
			CustomerID: customer, OrderRef: in.OrderRef, ExpiresAt: in.ExpiresAt,
		}
		code := newGiftCardCode()
		if in.Code != nil {
			code = *in.Code
		}
		card.SetCode(code)
		insert(c, GiftCards, card)
		x := c.enterGiftCard(card, GiftCardEntryIssue, amount.Minor, in.OrderRef)
		made(c, GiftCardIssued, GiftCards, card, x.details())
		return &IssuedGiftCard{card, code}, nil
	})
}

// GiftCardRedemption pays for an order with a gift card.
type GiftCardRedemption struct {
	Code     string // in any spelling
	OrderRef string // 1 to 128 characters; several entries may have the same
	Amount   MoneyInput
}

// GiftCardMovement is an entry of a gift card's ledger and the card after it.
type GiftCardMovement struct {
	Transaction *GiftCardTransaction
	Card        *GiftCard
}

// RedeemGiftCard takes an amount off a gift card, all of it or nothing; a card with nothing left
// is DEPLETED. Whoever knows the code may pay: the customer is not looked at. A card that is
// found past its expiry becomes EXPIRED, once, although that is refused (G3N 41, 3.9).
// Errors: as perform, Invalid, NotFound, Conflict (InvalidState, CurrencyMismatch,
// InsufficientBalance).
func (*Store) RedeemGiftCard(ctx context.Context, in GiftCardRedemption, w Write) (*GiftCardMovement, error) {
	var amount Money
	check := func(p *problems) {
		in.Code = NormaliseGiftCardCode(p.required("input.code", in.Code, 64))
		in.OrderRef = p.required("input.orderRef", in.OrderRef, maxOrderRef)
		amount = p.movement("input.amount", in.Amount)
	}
	var card *GiftCard
	ask := func(c *change) []statement {
		card = nil
		return []statement{{
			sql:  fmt.Sprintf("SELECT t.id, %s FROM gift_card t WHERE t.tenant_id = $1 AND t.code_hash = $2 FOR NO KEY UPDATE", GiftCards.list),
			args: []any{c.tenant, giftCardHash(in.Code)},
			read: GiftCards.each(c.session, func(g *GiftCard) { card = g }),
		}}
	}
	op := operation{"giftCardRedeem", []Permission{GiftCardEdit}}
	return post(ctx, op, w, &in, check, ask, func(_ context.Context, c *change) (*GiftCardMovement, error) {
		if card == nil {
			return nil, missing("input.code", GiftCards)
		}
		remember(c, card)
		if err := c.redeemable(card, amount); err != nil {
			return nil, err
		}
		card.LastOrderRef = &in.OrderRef
		if card.BalanceMinor == amount.Minor {
			card.StoredStatus = GiftCardDepleted
		}
		return c.moveGiftCard(GiftCardRedeemed, card, GiftCardEntryRedeem, -amount.Minor, &in.OrderRef), nil
	})
}

// redeemable checks that a card can pay an amount now. Errors: Conflict.
func (c *change) redeemable(card *GiftCard, amount Money) error {
	switch {
	case card.StoredStatus != GiftCardActive:
		return conflictf(InvalidState, "input.code", "the gift card is %s", card.StoredStatus)
	case card.statusAt(c.now) == GiftCardExpired:
		card.StoredStatus = GiftCardExpired
		altered(c, GiftCardExpiryNoticed, GiftCards, card, update(c, GiftCards, card), nil)
		c.regardless()
		return conflictf(InvalidState, "input.code", "the gift card is %s", GiftCardExpired)
	case card.Currency != amount.Currency:
		return conflictf(CurrencyMismatch, "input.amount.currency", "the gift card is in %s, not in %s", card.Currency, amount.Currency)
	case card.BalanceMinor < amount.Minor:
		return conflictf(InsufficientBalance, "input.amount", "%s requested, %s available", &amount, card.Balance())
	default:
		return nil
	}
}

// VoidGiftCard makes a gift card worthless, for good: what is left of it is taken off as a VOID
// entry. Only a card that is ACTIVE or EXPIRED can be made VOID.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState).
func (*Store) VoidGiftCard(ctx context.Context, id string, w Write) (*GiftCardMovement, error) {
	var row uuid.UUID
	check := func(p *problems) { row = GiftCards.id(p, "id", id) }
	op := operation{"giftCardVoid", []Permission{GiftCardEdit}}
	return perform(ctx, op, w, id, check, func(ctx context.Context, c *change) (*GiftCardMovement, error) {
		card, err := lockOne(ctx, c, GiftCards, row)
		if err != nil {
			return nil, err
		}
		if card.StoredStatus != GiftCardActive && card.StoredStatus != GiftCardExpired {
			return nil, conflictf(InvalidState, "id", "the gift card is %s", card.StoredStatus)
		}
		if err := c.expected(card, card.Revision); err != nil {
			return nil, err
		}
		card.StoredStatus = GiftCardVoid
		return c.moveGiftCard(GiftCardVoided, card, GiftCardEntryVoid, -card.BalanceMinor, nil), nil
	})
}

// moveGiftCard queues an entry that moves the balance of a locked card, and the card and the
// event with it.
func (c *change) moveGiftCard(event EventType, card *GiftCard, kind GiftCardTransactionType, minor int64, orderRef *string) *GiftCardMovement {
	card.BalanceMinor += minor
	fields := update(c, GiftCards, card)
	x := c.enterGiftCard(card, kind, minor, orderRef)
	altered(c, event, GiftCards, card, fields, x.details())
	return &GiftCardMovement{x, card}
}

// enterGiftCard queues an entry that made a card what it is.
func (c *change) enterGiftCard(card *GiftCard, kind GiftCardTransactionType, minor int64, orderRef *string) *GiftCardTransaction {
	x := &GiftCardTransaction{
		GiftCardID: card.ID, Sequence: card.Revision, Type: kind, Currency: card.Currency, AmountMinor: minor, BalanceAfterMinor: card.BalanceMinor,
		OrderRef: orderRef, Actor: c.actor,
	}
	x.Reason, x.SourceRefs = c.why()
	insert(c, GiftCardTransactions, x)
	return x
}

// details is what an event tells of an entry. The amount is in minor units.
func (x *GiftCardTransaction) details() map[string]any {
	return map[string]any{"transaction": x.NodeID(), "amount": x.AmountMinor, "currency": x.Currency}
}
