package crm

import (
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// CreditTransactionType says what an entry of the credit ledger is.
type CreditTransactionType string

// The words of credit transactions.
const (
	CreditConsume     CreditTransactionType = "CONSUME"      // bought on credit
	CreditRelease     CreditTransactionType = "RELEASE"      // paid, or not bought after all
	CreditLimitChange CreditTransactionType = "LIMIT_CHANGE" // moves nothing
	CreditTransfer    CreditTransactionType = "TRANSFER"     // from one account to another in a merge
)

// CreditTransaction is one entry of what an account owes. Entries are never changed.
type CreditTransaction struct {
	bun.BaseModel `bun:"table:credit_transaction"`
	Row

	AccountID        uuid.UUID             `bun:"account_id"`
	Sequence         int64                 `bun:"sequence"` // the revision of the account that it made
	Type             CreditTransactionType `bun:"type"`
	Currency         string                `bun:"currency"`     // ISO 4217
	AmountMinor      int64                 `bun:"amount"`       // signed minor units of Currency; positive = more is owed
	UsedAfterMinor   int64                 `bun:"used_after"`   // minor units of Currency
	CreditLimitMinor *int64                `bun:"credit_limit"` // after the entry, minor units of Currency; nil = none
	OrderRef         *string               `bun:"order_ref"`
	Actor            string                `bun:"actor"` // the subject of the access token
	Reason           *string               `bun:"reason"`
	SourceRefs       []*SourceRef          `bun:"source_refs"`
	CreatedAt        time.Time             `bun:"created_at"`
}

// CreditTransactions is the type in the catalogue.
var CreditTransactions = newType[CreditTransaction]("CreditTransaction", "ctx", CreditView, nil).filterable(map[string]Path{
	"type":      column("type"),
	"orderRef":  column("order_ref"),
	"createdAt": column("created_at"),
})

// The edges between an account and its ledger of credit, which is read newest first.
var (
	AccountCreditTransactions = paged(Accounts, "creditTransactions", CreditTransactions,
		source{key: "t.account_id"}, CreditTransactions.orderBy("-sequence"), "id").filteredBy(reflect.TypeFor[CreditTransactionWhere]())
	CreditTransactionAccount = one(CreditTransactions, "account", Accounts, "account_id")
)

// IsNode marks the type.
func (*CreditTransaction) IsNode() {}

// NodeID is the global id.
func (t *CreditTransaction) NodeID() string { return CreditTransactions.nodeID(t.ID) }

// Amount is what the entry added to what is owed, negative for what it took off.
func (t *CreditTransaction) Amount() *Money {
	return &Money{Minor: t.AmountMinor, Currency: t.Currency}
}

// UsedAfter is what was owed after the entry.
func (t *CreditTransaction) UsedAfter() *Money {
	return &Money{Minor: t.UsedAfterMinor, Currency: t.Currency}
}

// CreditLimit is how much could be owed after the entry, nil when no limit was set.
func (t *CreditTransaction) CreditLimit() *Money { return moneyOf(t.CreditLimitMinor, &t.Currency) }

// CreditTransactionWhere filters entries.
type CreditTransactionWhere struct {
	And, Or   []*CreditTransactionWhere
	Not       *CreditTransactionWhere
	ID        *IDFilter
	Type      *EnumFilter[CreditTransactionType]
	OrderRef  *StringFilter
	CreatedAt *DateTimeFilter
}
