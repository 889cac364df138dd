package crm

import (
	"errors"
	"fmt"
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
	Reason  string // a finer word inside the code, such as EMAIL_IN_USE; may be empty
	Field   string // the path of the offending input value, such as where.or[0].code
	Message string
	cause   error
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
