package crm

import (
	"context"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// LoyaltyTransactionType says what moved the points.
type LoyaltyTransactionType string

// The words of loyalty transactions.
const (
	LoyaltyEarn     LoyaltyTransactionType = "EARN"
	LoyaltyRedeem   LoyaltyTransactionType = "REDEEM"
	LoyaltyAdjust   LoyaltyTransactionType = "ADJUST"
	LoyaltyExpire   LoyaltyTransactionType = "EXPIRE"
	LoyaltyReverse  LoyaltyTransactionType = "REVERSE"
	LoyaltyRestore  LoyaltyTransactionType = "RESTORE"
	LoyaltyTransfer LoyaltyTransactionType = "TRANSFER"
)

// LoyaltyTransactionStatus says whether an entry's points count yet.
type LoyaltyTransactionStatus string

// The words of it.
const (
	LoyaltyPending LoyaltyTransactionStatus = "PENDING" // earned, not yet spendable
	LoyaltyPosted  LoyaltyTransactionStatus = "POSTED"
)

// LoyaltyAccount holds a customer's points. It shares the customer's id.
type LoyaltyAccount struct {
	bun.BaseModel `bun:"table:loyalty_account"`
	Row

	Balance         int64     `bun:"balance"`                   // the sum of the ledger
	AvailablePoints int64     `bun:"available_points,scanonly"` // spendable now
	PendingPoints   int64     `bun:"pending_points,scanonly"`   // earned, not yet spendable
	LifetimeEarned  int64     `bun:"lifetime_earned"`
	CreatedAt       time.Time `bun:"created_at"`
	UpdatedAt       time.Time `bun:"updated_at"`
	Revision        int64     `bun:"revision"`
}

// accountTime is the time that an account t is looked at: now, but never before its last movement.
// What was earned at once can be spent at once, whatever another server's clock says.
func accountTime(now string) string { return "greatest(" + now + ", t.updated_at)" }

// LoyaltyAccounts is the type in the catalogue. What can be spent depends on the time:
// points mature and expire without a write, so both sums come from the open lots.
var LoyaltyAccounts = newType[LoyaltyAccount]("LoyaltyAccount", "loy", LoyaltyView, &computed{
	columns: []string{"available_points", "pending_points"},
	from: "SELECT coalesce(sum(l.remaining) FILTER (WHERE " + spendable(accountTime("$2")) + "), 0)::bigint AS available_points, " +
		"coalesce(sum(l.remaining) FILTER (WHERE l.available_at > " + accountTime("$2") + "), 0)::bigint AS pending_points " +
		"FROM loyalty_lot l WHERE l.tenant_id = $1 AND l.account_id = t.id AND l.remaining > 0",
}).filterable(map[string]Path{
	"customer":  {Column: db.Column{SQL: "t.id"}, prefix: "cus"},
	"createdAt": column("created_at"),
})

// The edges of a loyalty account.
var (
	LoyaltyAccountCustomer     = one(LoyaltyAccounts, "customer", Customers, "id")
	LoyaltyAccountTransactions = paged(LoyaltyAccounts, "transactions", LoyaltyTransactions,
		source{key: "t.account_id"}, LoyaltyTransactions.orderBy("-sequence"), "id").filteredBy(reflect.TypeFor[LoyaltyTransactionWhere]())
	LoyaltyAccountLots = paged(LoyaltyAccounts, "lots", LoyaltyLots,
		source{key: "t.account_id"}, LoyaltyLots.orderBy("id"), "id").filteredBy(reflect.TypeFor[LoyaltyLotWhere]())
	LoyaltyAccountEvents = eventsOf(LoyaltyAccounts)
)

// IsNode marks the type.
func (*LoyaltyAccount) IsNode() {}

// NodeID is the global id.
func (a *LoyaltyAccount) NodeID() string { return LoyaltyAccounts.nodeID(a.ID) }

// LoyaltyAccountBy selects one loyalty account; exactly one field is set.
type LoyaltyAccountBy struct {
	ID       *string
	Customer *string
}

// LoyaltyAccountWhere filters loyalty accounts.
type LoyaltyAccountWhere struct {
	And, Or   []*LoyaltyAccountWhere
	Not       *LoyaltyAccountWhere
	ID        *IDFilter
	Customer  *IDFilter
	CreatedAt *DateTimeFilter
}

// LoyaltyAccountOrderField is what loyalty accounts can be sorted by.
type LoyaltyAccountOrderField string

var loyaltyAccountOrder = sortable(LoyaltyAccounts, map[LoyaltyAccountOrderField]string{"CREATED_AT": "created_at"})

// LoyaltyAccount returns the loyalty account that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) LoyaltyAccount(ctx context.Context, by LoyaltyAccountBy) (*LoyaltyAccount, error) {
	return LoyaltyAccounts.lookup(ctx, by, "t.id")
}

// LoyaltyAccounts returns a page of the tenant's loyalty accounts.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) LoyaltyAccounts(ctx context.Context, where *LoyaltyAccountWhere, orderBy []*Order[LoyaltyAccountOrderField], page Page) (*Connection[LoyaltyAccount], error) {
	return list(ctx, LoyaltyAccounts, where, loyaltyAccountOrder, orderBy, page)
}

// LoyaltyTransaction is one entry of the points ledger. Entries are never changed.
type LoyaltyTransaction struct {
	bun.BaseModel `bun:"table:loyalty_transaction"`
	Row

	AccountID        uuid.UUID              `bun:"account_id"`
	Sequence         int64                  `bun:"sequence"` // the revision of the account that it made
	Type             LoyaltyTransactionType `bun:"type"`
	Points           int64                  `bun:"points"` // signed
	BalanceAfter     int64                  `bun:"balance_after"`
	Currency         *string                `bun:"currency"`       // ISO 4217
	LifetimeMoved    *int64                 `bun:"lifetime_moved"` // of lifetime earned, by a TRANSFER
	AmountMinor      *int64                 `bun:"amount"`         // minor units of Currency
	RedeemValueMinor *int64                 `bun:"redeem_value"`   // minor units of Currency
	PolicyVersion    *string                `bun:"policy_version"` // that the points were reckoned by
	Channel          *string                `bun:"channel"`
	OrderRef         *string                `bun:"order_ref"`
	Reason           *string                `bun:"reason"`
	SourceRefs       []*SourceRef           `bun:"source_refs"`
	AvailableAt      *time.Time             `bun:"available_at"`
	ExpiresAt        *time.Time             `bun:"expires_at"`
	OccurredAt       time.Time              `bun:"occurred_at"`
	CreatedAt        time.Time              `bun:"created_at"`
}

// LoyaltyTransactions is the type in the catalogue.
var LoyaltyTransactions = newType[LoyaltyTransaction]("LoyaltyTransaction", "ltx", LoyaltyView, nil).filterable(map[string]Path{
	"account":    {Column: db.Column{SQL: "t.account_id"}, prefix: "loy"},
	"type":       column("type"),
	"orderRef":   column("order_ref"),
	"occurredAt": column("occurred_at"),
})

// The edges of a loyalty transaction.
var (
	LoyaltyTransactionAccount = one(LoyaltyTransactions, "account", LoyaltyAccounts, "account_id")
	LoyaltyTransactionRelated = paged(LoyaltyTransactions, "related", LoyaltyTransactions,
		source{link: "loyalty_transaction_link", on: "t.id = x.related_id", key: "x.transaction_id"},
		LoyaltyTransactions.orderBy("id"), "id")
)

// IsNode marks the type.
func (*LoyaltyTransaction) IsNode() {}

// NodeID is the global id.
func (t *LoyaltyTransaction) NodeID() string { return LoyaltyTransactions.nodeID(t.ID) }

// Amount is the purchase behind the points, nil when there was none.
func (t *LoyaltyTransaction) Amount() *Money { return moneyOf(t.AmountMinor, t.Currency) }

// RedeemValue is what the redeemed points were worth, nil when they had no price.
func (t *LoyaltyTransaction) RedeemValue() *Money { return moneyOf(t.RedeemValueMinor, t.Currency) }

// Status says whether the points count yet. They begin to without a further entry.
func (t *LoyaltyTransaction) Status(ctx context.Context) (LoyaltyTransactionStatus, error) {
	s, err := begin(ctx)
	if err != nil {
		return "", err
	}
	if t.AvailableAt != nil && t.AvailableAt.After(s.now) && t.AvailableAt.After(t.CreatedAt) {
		return LoyaltyPending, nil
	}
	return LoyaltyPosted, nil
}

// LoyaltyTransactionBy selects one transaction; exactly one field is set.
type LoyaltyTransactionBy struct {
	ID *string
}

// LoyaltyTransactionWhere filters transactions.
type LoyaltyTransactionWhere struct {
	And, Or    []*LoyaltyTransactionWhere
	Not        *LoyaltyTransactionWhere
	ID         *IDFilter
	Account    *IDFilter
	Type       *EnumFilter[LoyaltyTransactionType]
	OrderRef   *StringFilter
	OccurredAt *DateTimeFilter
}

// LoyaltyTransactionOrderField is what transactions can be sorted by.
type LoyaltyTransactionOrderField string

var loyaltyTransactionOrder = sortable(LoyaltyTransactions, map[LoyaltyTransactionOrderField]string{"OCCURRED_AT": "occurred_at"})

// LoyaltyTransaction returns the transaction that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) LoyaltyTransaction(ctx context.Context, by LoyaltyTransactionBy) (*LoyaltyTransaction, error) {
	return LoyaltyTransactions.lookup(ctx, by, "t.id")
}

// LoyaltyTransactions returns a page of the tenant's ledger.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) LoyaltyTransactions(ctx context.Context, where *LoyaltyTransactionWhere, orderBy []*Order[LoyaltyTransactionOrderField], page Page) (*Connection[LoyaltyTransaction], error) {
	return list(ctx, LoyaltyTransactions, where, loyaltyTransactionOrder, orderBy, page)
}

// LoyaltyLot are points that came in together and expire together. Debits take from it.
type LoyaltyLot struct {
	bun.BaseModel `bun:"table:loyalty_lot"`
	Row

	AccountID     uuid.UUID  `bun:"account_id"`
	TransactionID uuid.UUID  `bun:"transaction_id"` // that brought them
	Points        int64      `bun:"points"`
	Remaining     int64      `bun:"remaining"`    // 0 to Points
	AvailableAt   time.Time  `bun:"available_at"` // spendable from then on
	ExpiresAt     *time.Time `bun:"expires_at"`   // and before then; nil = for good
}

// LoyaltyLots is the type in the catalogue.
var LoyaltyLots = newType[LoyaltyLot]("LoyaltyLot", "lot", LoyaltyView, nil).filterable(map[string]Path{
	"remaining":   column("remaining"),
	"availableAt": column("available_at"),
	"expiresAt":   column("expires_at"),
})

// LoyaltyLotTransaction leads to the entry that brought the points.
var LoyaltyLotTransaction = one(LoyaltyLots, "transaction", LoyaltyTransactions, "transaction_id")

// IsNode marks the type.
func (*LoyaltyLot) IsNode() {}

// NodeID is the global id.
func (l *LoyaltyLot) NodeID() string { return LoyaltyLots.nodeID(l.ID) }

// LoyaltyLotWhere filters lots.
type LoyaltyLotWhere struct {
	And, Or     []*LoyaltyLotWhere
	Not         *LoyaltyLotWhere
	ID          *IDFilter
	Remaining   *Int64Filter
	AvailableAt *DateTimeFilter
	ExpiresAt   *DateTimeFilter
}
