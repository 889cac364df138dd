package crm

import (
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// AccountStatus is where an account is in its life.
type AccountStatus string

// AccountTier is how an account is treated, by its revenue.
type AccountTier string

// InvoiceDelivery is how invoices reach their reader.
type InvoiceDelivery string

// BillingTermsStatus says whether billing terms can be chosen.
type BillingTermsStatus string

// The words of accounts and billing terms.
const (
	AccountActive   AccountStatus = "ACTIVE"
	AccountInactive AccountStatus = "INACTIVE"
	AccountDoomed   AccountStatus = "DOOMED"

	TierStandard   AccountTier = "STANDARD"
	TierBronze     AccountTier = "BRONZE"
	TierSilver     AccountTier = "SILVER"
	TierGold       AccountTier = "GOLD"
	TierPlatinum   AccountTier = "PLATINUM"
	TierEnterprise AccountTier = "ENTERPRISE"

	DeliverByEmail        InvoiceDelivery = "EMAIL"
	DeliverByPortal       InvoiceDelivery = "PORTAL"
	DeliverByMail         InvoiceDelivery = "MAIL"
	DeliverByEmailAndMail InvoiceDelivery = "EMAIL_AND_MAIL"

	BillingTermsActive   BillingTermsStatus = "ACTIVE"
	BillingTermsInactive BillingTermsStatus = "INACTIVE"
	BillingTermsArchived BillingTermsStatus = "ARCHIVED"
)

// Account is the credit and billing side of an organisation. It shares the party's id.
type Account struct {
	bun.BaseModel `bun:"table:account"`
	Row

	Code             string          `bun:"code"`
	Status           AccountStatus   `bun:"status"`
	BillingTermsID   *uuid.UUID      `bun:"billing_terms_id"`
	InvoiceDelivery  InvoiceDelivery `bun:"invoice_delivery"`
	Currency         *string         `bun:"currency"`     // ISO 4217; nil until there is a limit or a debt
	CreditLimitMinor *int64          `bun:"credit_limit"` // minor units of Currency; nil = no limit set
	CreditUsedMinor  int64           `bun:"credit_used"`  // minor units of Currency
	CreditHold       bool            `bun:"credit_hold"`
	CreatedAt        time.Time       `bun:"created_at"`
	UpdatedAt        time.Time       `bun:"updated_at"`
	Revision         int64           `bun:"revision"` // shared with the party
}

// Accounts is the type in the catalogue.
var Accounts = newType[Account]("Account", "acc", PartyView, nil)

// The edges of an account.
var (
	AccountParty        = one(Accounts, "party", Parties, "id")
	AccountBillingTerms = one(Accounts, "billingTerms", BillingTermsList, "billing_terms_id")
)

// IsNode marks the type.
func (*Account) IsNode() {}

// NodeID is the global id.
func (a *Account) NodeID() string { return Accounts.nodeID(a.ID) }

// BillingTerms are terms of payment that accounts refer to.
type BillingTerms struct {
	bun.BaseModel `bun:"table:billing_terms"`
	Row

	Code      string             `bun:"code"`
	Label     string             `bun:"label"`
	NetDays   int                `bun:"net_days"`
	IsDefault bool               `bun:"is_default"` // at most one of a tenant
	Status    BillingTermsStatus `bun:"status"`
	CreatedAt time.Time          `bun:"created_at"`
	UpdatedAt time.Time          `bun:"updated_at"`
	Revision  int64              `bun:"revision"`
}

// BillingTermsList is the type in the catalogue.
var BillingTermsList = newType[BillingTerms]("BillingTerms", "btr", PartyView, nil)

// IsNode marks the type.
func (*BillingTerms) IsNode() {}

// NodeID is the global id.
func (b *BillingTerms) NodeID() string { return BillingTermsList.nodeID(b.ID) }
