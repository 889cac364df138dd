package crm

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// GiftCardStatus is where a gift card is in its life.
type GiftCardStatus string

// GiftCardTransactionType says what moved a gift card's balance.
type GiftCardTransactionType string

// The words of gift cards. All but ACTIVE are final, but for an EXPIRED card that is made VOID.
const (
	GiftCardActive   GiftCardStatus = "ACTIVE"
	GiftCardDepleted GiftCardStatus = "DEPLETED" // nothing is left
	GiftCardExpired  GiftCardStatus = "EXPIRED"
	GiftCardVoid     GiftCardStatus = "VOID"

	GiftCardEntryIssue  GiftCardTransactionType = "ISSUE"
	GiftCardEntryRedeem GiftCardTransactionType = "REDEEM"
	GiftCardEntryVoid   GiftCardTransactionType = "VOID"
)

// GiftCard is stored value in the hands of whoever knows its code. The code is not kept: its
// hash finds the card, and a mask of it is what people see.
type GiftCard struct {
	bun.BaseModel `bun:"table:gift_card"`
	Row

	CodeHash     string         `bun:"code_hash"`
	MaskedCode   string         `bun:"masked_code"`
	StoredStatus GiftCardStatus `bun:"status"` // see Status
	Currency     string         `bun:"currency"`
	InitialMinor int64          `bun:"initial_amount"` // minor units of Currency, 1 and more
	BalanceMinor int64          `bun:"balance"`        // likewise; 0 to InitialMinor, the sum of the ledger
	CustomerID   *uuid.UUID     `bun:"customer_id"`    // whom it was sold or given to, if known
	OrderRef     *string        `bun:"order_ref"`      // that it was sold by
	LastOrderRef *string        `bun:"last_order_ref"` // that it paid last
	ExpiresAt    *time.Time     `bun:"expires_at"`     // it pays before then; nil = for good
	CreatedAt    time.Time      `bun:"created_at"`
	UpdatedAt    time.Time      `bun:"updated_at"`
	Revision     int64          `bun:"revision"`
}

// GiftCards is the type in the catalogue. Codes are no filter: a lookup takes a whole one.
var GiftCards = newType[GiftCard]("GiftCard", "gft", GiftCardView, nil).filterable(map[string]Path{
	"code":      {Column: db.Column{SQL: "t.code_hash"}, normalise: giftCardHash, need: []Permission{GiftCardLookup}},
	"customer":  {Column: db.Column{SQL: "t.customer_id"}, prefix: "cus"},
	"expiresAt": column("expires_at"),
	"createdAt": column("created_at"),
})

// The edges of gift cards.
var (
	GiftCardCustomer = one(GiftCards, "customer", Customers, "customer_id")
	GiftCardLedger   = paged(GiftCards, "transactions", GiftCardTransactions,
		source{key: "t.gift_card_id"}, GiftCardTransactions.orderBy("-sequence"), "id").filteredBy(reflect.TypeFor[GiftCardTransactionWhere]())
	GiftCardEvents          = eventsOf(GiftCards)
	GiftCardTransactionCard = one(GiftCardTransactions, "giftCard", GiftCards, "gift_card_id")

	// CustomerGiftCards are the newest first.
	CustomerGiftCards = paged(Customers, "giftCards", GiftCards, source{key: "t.customer_id"}, GiftCards.orderBy("-id"), "id")
)

// IsNode marks the type.
func (*GiftCard) IsNode() {}

// NodeID is the global id.
func (g *GiftCard) NodeID() string { return GiftCards.nodeID(g.ID) }

// Balance is what is left on the card.
func (g *GiftCard) Balance() *Money { return &Money{Minor: g.BalanceMinor, Currency: g.Currency} }

// InitialAmount is what the card was issued for.
func (g *GiftCard) InitialAmount() *Money {
	return &Money{Minor: g.InitialMinor, Currency: g.Currency}
}

// Status is where the card is in its life at the time of the request. A card that is past its
// expiry shows EXPIRED before anybody noted it. Errors: Unauthenticated.
func (g *GiftCard) Status(ctx context.Context) (GiftCardStatus, error) {
	s, err := begin(ctx)
	if err != nil {
		return "", err
	}
	return g.statusAt(s.now), nil
}

func (g *GiftCard) statusAt(now time.Time) GiftCardStatus {
	if g.StoredStatus == GiftCardActive && g.ExpiresAt != nil && !g.ExpiresAt.After(now) {
		return GiftCardExpired
	}
	return g.StoredStatus
}

// SetCode says by which code a new card is found and what is shown of it: all but the last four
// characters is masked, and of a code with fewer than eight not more than half is shown. Hyphens
// stay where they are.
func (g *GiftCard) SetCode(code string) {
	code = NormaliseCode(code)
	masked := len(NormaliseGiftCardCode(code))
	masked -= min(4, masked/2)
	g.CodeHash = giftCardHash(code)
	g.MaskedCode = strings.Map(func(r rune) rune {
		if r == '-' || masked == 0 {
			return r
		}
		masked--
		return mask
	}, code)
}

// mask stands where a character of a code is not shown.
const mask = '•'

// LastFour are the characters of the code that are shown: the last four, fewer of a short one.
func (g *GiftCard) LastFour() string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == mask {
			return -1
		}
		return r
	}, g.MaskedCode)
}

// Code is the card's code as it was issued, to be shown to someone who presented it in any
// spelling. Whoever presents another code gets the masked one.
func (g *GiftCard) Code(presented string) string {
	if giftCardHash(presented) != g.CodeHash {
		return g.MaskedCode
	}
	rest := []rune(NormaliseGiftCardCode(presented))
	return strings.Map(func(r rune) rune {
		if r == '-' || len(rest) == 0 {
			return r
		}
		r, rest = rest[0], rest[1:]
		return r
	}, g.MaskedCode)
}

// NormaliseGiftCardCode brings a gift card's code to the form codes are compared in: upper case,
// without hyphens and spaces.
func NormaliseGiftCardCode(code string) string { return joinedUpper(code) }

// giftCardHash is what is kept of a code, in any spelling.
func giftCardHash(code string) string {
	sum := sha256.Sum256([]byte(NormaliseGiftCardCode(code)))
	return hex.EncodeToString(sum[:])
}

// giftCardAlphabet is what made-up codes consist of: no I, O, 0 and 1. Its length divides 256,
// so each of its characters is as likely as any other.
const giftCardAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// newGiftCardCode makes a code that nobody can guess: XXXX-XXXX-XXXX-XXXX, 80 random bits.
func newGiftCardCode() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // it never fails
	var code strings.Builder
	for i, b := range random {
		if i > 0 && i%4 == 0 {
			code.WriteByte('-')
		}
		code.WriteByte(giftCardAlphabet[int(b)%len(giftCardAlphabet)])
	}
	return code.String()
}

// GiftCardBy selects one gift card; exactly one field is set.
type GiftCardBy struct {
	ID   *string
	Code *string // in any spelling
}

// GiftCardWhere filters gift cards.
type GiftCardWhere struct {
	And, Or   []*GiftCardWhere
	Not       *GiftCardWhere
	ID        *IDFilter
	Customer  *IDFilter
	ExpiresAt *DateTimeFilter
	CreatedAt *DateTimeFilter
}

// GiftCardOrderField is what gift cards can be sorted by.
type GiftCardOrderField string

var giftCardOrder = sortable(GiftCards, map[GiftCardOrderField]string{"CREATED_AT": "created_at"})

// GiftCard returns the gift card that by selects; by code it needs GiftCardLookup, too.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) GiftCard(ctx context.Context, by GiftCardBy) (*GiftCard, error) {
	return GiftCards.lookup(ctx, by, "t.id")
}

// GiftCards returns a page of the tenant's gift cards.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) GiftCards(ctx context.Context, where *GiftCardWhere, orderBy []*Order[GiftCardOrderField], page Page) (*Connection[GiftCard], error) {
	return list(ctx, GiftCards, where, giftCardOrder, orderBy, page)
}

// GiftCardTransaction is one entry of a gift card's ledger. Entries are never changed.
type GiftCardTransaction struct {
	bun.BaseModel `bun:"table:gift_card_transaction"`
	Row

	GiftCardID        uuid.UUID               `bun:"gift_card_id"`
	Sequence          int64                   `bun:"sequence"` // the revision of the card that it made
	Type              GiftCardTransactionType `bun:"type"`
	Currency          string                  `bun:"currency"`      // the card's
	AmountMinor       int64                   `bun:"amount"`        // minor units of Currency, negative for what left
	BalanceAfterMinor int64                   `bun:"balance_after"` // likewise
	OrderRef          *string                 `bun:"order_ref"`
	Actor             string                  `bun:"actor"` // the subject of the access token
	Reason            *string                 `bun:"reason"`
	SourceRefs        []*SourceRef            `bun:"source_refs"`
	CreatedAt         time.Time               `bun:"created_at"`
}

// GiftCardTransactions is the type in the catalogue. Entries are read below their card only.
var GiftCardTransactions = newType[GiftCardTransaction]("GiftCardTransaction", "gtx", GiftCardView, nil).filterable(map[string]Path{
	"type":      column("type"),
	"orderRef":  column("order_ref"),
	"createdAt": column("created_at"),
})

// IsNode marks the type.
func (*GiftCardTransaction) IsNode() {}

// NodeID is the global id.
func (x *GiftCardTransaction) NodeID() string { return GiftCardTransactions.nodeID(x.ID) }

// Amount is by how much the balance moved, negative for what left.
func (x *GiftCardTransaction) Amount() *Money {
	return &Money{Minor: x.AmountMinor, Currency: x.Currency}
}

// BalanceAfter is the card's balance after the entry.
func (x *GiftCardTransaction) BalanceAfter() *Money {
	return &Money{Minor: x.BalanceAfterMinor, Currency: x.Currency}
}

// GiftCardTransactionWhere filters the entries of a gift card.
type GiftCardTransactionWhere struct {
	And, Or   []*GiftCardTransactionWhere
	Not       *GiftCardTransactionWhere
	ID        *IDFilter
	Type      *EnumFilter[GiftCardTransactionType]
	OrderRef  *StringFilter
	CreatedAt *DateTimeFilter
}
