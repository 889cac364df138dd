package crm

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of failure an [Error] is. The list is closed: every door
// maps each code to its own words in one table.
type Code string

// The codes of an [Error].
const (
	// Invalid means the input breaks a rule; Field names the offending value.
	Invalid Code = "INVALID"
	// NotFound means the record does not exist for this caller's tenant.
	NotFound Code = "NOT_FOUND"
	// Conflict means the record's state, or another record, forbids the act.
	Conflict Code = "CONFLICT"
	// Stale means the revision the caller saw is not the stored one.
	Stale Code = "STALE"
	// PreconditionRequired means a revision is needed and none was sent.
	PreconditionRequired Code = "PRECONDITION_REQUIRED"
	// Forbidden means the caller lacks a permission; nothing else is told.
	Forbidden Code = "FORBIDDEN"
	// Unauthenticated means the caller is not known.
	Unauthenticated Code = "UNAUTHENTICATED"
	// Unavailable means the database cannot answer now; trying again may help.
	Unavailable Code = "UNAVAILABLE"
	// Internal is everything else; its cause is for the log only.
	Internal Code = "INTERNAL"
)

// Error is the one error of the domain. Message is written for people and holds
// nothing secret; the wrapped cause is for the log.
type Error struct {
	Code    Code
	Reason  Reason // a finer word inside the code; may be empty
	Field   string // the path of the offending argument, such as where.or[0].code
	Message string
	// Current is, for Stale, the record as it is stored.
	Current Node `json:"-"`
	// Related is the global id of the record that stands in the way: the survivor of a merge,
	// the vehicle that has the VIN.
	Related string
	// Candidates are, for DuplicateCandidates, those that look the same.
	Candidates []*DuplicateCandidate
	cause      error
}

// Reason is a finer word inside a code. The list is closed, and the graph shows it as it is.
type Reason string

// The reasons of an [Error].
const (
	// Of Invalid.

	BillingEmailRequired   Reason = "BILLING_EMAIL_REQUIRED"
	InvalidBillingTerms    Reason = "INVALID_BILLING_TERMS"
	InvalidMerge           Reason = "INVALID_MERGE"
	InvalidParent          Reason = "INVALID_PARENT"
	InvalidRoleCode        Reason = "INVALID_ROLE_CODE"
	QueryTooShort          Reason = "QUERY_TOO_SHORT"
	SearchCriteriaRequired Reason = "SEARCH_CRITERIA_REQUIRED"
	VINImmutable           Reason = "VIN_IMMUTABLE"

	// Of Conflict.

	AlreadyRegistered   Reason = "ALREADY_REGISTERED"
	AlreadyReversed     Reason = "ALREADY_REVERSED"
	CodeInUse           Reason = "CODE_IN_USE"
	ContactExists       Reason = "CONTACT_EXISTS"
	CreditHeld          Reason = "CREDIT_HOLD"
	CreditLimitExceeded Reason = "CREDIT_LIMIT_EXCEEDED"
	CurrencyMismatch    Reason = "CURRENCY_MISMATCH"
	DuplicateCandidates Reason = "DUPLICATE_CANDIDATES"
	DuplicateVIN        Reason = "DUPLICATE_VIN"
	EmailInUse          Reason = "EMAIL_IN_USE"
	ExternalRefInUse    Reason = "EXTERNAL_REF_IN_USE"
	IdempotencyMismatch Reason = "IDEMPOTENCY_MISMATCH"
	InsufficientBalance Reason = "INSUFFICIENT_BALANCE"
	InsufficientPoints  Reason = "INSUFFICIENT_POINTS"
	InvalidState        Reason = "INVALID_STATE"
	KeyInUse            Reason = "KEY_IN_USE"
	LastContact         Reason = "LAST_CONTACT"
	MergedParty         Reason = "PARTY_MERGED"
	NoLoyaltyPolicy     Reason = "LOYALTY_POLICY_MISSING"
	PhoneInUse          Reason = "PHONE_IN_USE"
	RedeemAboveMaximum  Reason = "REDEEM_ABOVE_MAXIMUM"
	RedeemBelowMinimum  Reason = "REDEEM_BELOW_MINIMUM"
	RedeemNotInBlocks   Reason = "REDEEM_NOT_BLOCK_MULTIPLE"
	RestoreExceeds      Reason = "RESTORE_EXCEEDS_REDEEMED"
	RoleHeld            Reason = "ROLE_HELD"
	VersionExists       Reason = "VERSION_EXISTS"
)

// constraints says what a broken constraint of the database means.
var constraints = map[string]*Error{
	"party_key_key":              conflictf(KeyInUse, "input.key", "the key is taken"),
	"contact_key_key":            conflictf(KeyInUse, "input.key", "the key is taken"),
	"contact_person_key":         conflictf(ContactExists, "input.personId", "the person is a contact of this organisation already"),
	"customer_code_key":          conflictf(CodeInUse, "input.code", "another customer has this one"),
	"account_code_key":           conflictf(CodeInUse, "input.accountCode", "the account code is taken"),
	"role_code_key":              conflictf(CodeInUse, "input.code", "the code is taken"),
	"billing_terms_code_key":     conflictf(CodeInUse, "input.code", "the code is taken"),
	"vehicle_vin_key":            conflictf(DuplicateVIN, "input.vin", "an active vehicle has this VIN"),
	"warranty_serial_key":        conflictf(AlreadyRegistered, "input.serialNumber", "an active warranty has this serial number"),
	"identifier_claim_key":       conflictf(ExternalRefInUse, "input", "another party has claimed an identifier of this one"),
	"identifier_party_key":       conflictf(ExternalRefInUse, "input", "the party has this identifier already"),
	"contact_role_role_key":      conflictf(RoleHeld, "input.roleCode", "the contact has this role already"),
	"loyalty_policy_version_key": conflictf(VersionExists, "input.version", "the programme has this version already"),
	"gift_card_code_key":         conflictf(CodeInUse, "input.code", "another gift card has this code"),
	"contact_role_primary_key":   {Code: Unavailable, Message: "another change of this role is under way, try again"},
}

// Error returns the message for people.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, which callers must not show to clients.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of err: Internal for an error that is not an [Error].
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// invalidf reports a broken input rule at the given field.
func invalidf(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// notFoundf reports that nothing in the caller's tenant answers to a selector.
func notFoundf(format string, args ...any) *Error {
	return &Error{Code: NotFound, Message: fmt.Sprintf(format, args...)}
}

// Because returns a copy of e with its cause, which is for the log only.
func (e *Error) Because(cause error) *Error {
	because := *e
	because.cause = cause
	return &because
}

// missing says that an argument names no record of the type.
func missing[T any](field string, t *Record[T]) *Error {
	e := notFoundf("no such %s", t.name)
	e.Field = field
	return e
}

// at moves an error with a reason to the field that this operation takes the value from.
func at(err error, reason Reason, field string) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Reason != reason {
		return err
	}
	moved := *e
	moved.Field = field
	return &moved
}

// nested returns a copy of e for an input that lies at root inside another.
func (e *Error) nested(root string) *Error {
	moved := *e
	if rest, ok := strings.CutPrefix(e.Field, "input"); ok {
		moved.Field = root + rest
	}
	return &moved
}

// nested moves the errors of an input to root, where it lies inside another.
func nested(root string, err error) error {
	if all, ok := errors.AsType[Problems](err); ok {
		moved := make(Problems, len(all))
		for i, e := range all {
			moved[i] = e.nested(root)
		}
		return moved
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.nested(root)
	}
	return err
}

// conflictf reports that the state of a record, or another record, forbids the act.
func conflictf(reason Reason, field, format string, args ...any) *Error {
	return &Error{Code: Conflict, Reason: reason, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Problems are all that is wrong with an input, at least one.
type Problems []*Error //nolint:errname // it is many

// Error lists the messages.
func (p Problems) Error() string {
	messages := make([]string, len(p))
	for i, e := range p {
		messages[i] = e.Message
	}
	return strings.Join(messages, "; ")
}

// Unwrap returns the problems one by one.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, e := range p {
		errs[i] = e
	}
	return errs
}
