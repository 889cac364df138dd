// Package auth turns bearer credentials into a [crm.Principal].
//
// A token is accepted from two kinds of signer: an OIDC issuer, whose keys are
// fetched over HTTP, and the development keys of this installation ([Keys]).
// Nothing inside a token ever chooses a key, an algorithm or an address: the
// unverified iss claim selects one of the configured issuers and the kid one of
// the keys that this issuer publishes; everything else is fixed beforehand.
//
// Guarantees, for an issuer that can be reached:
//   - a key it begins to publish is accepted within 30 seconds;
//   - a key it withdraws is refused within 60 seconds, also for tokens accepted before;
//   - it is asked at most once in 30 seconds, whatever tokens arrive.
//
// When the issuer cannot be reached, the keys last seen stay trusted for one hour,
// so a withdrawal during an outage takes effect when the outage or that hour ends.
//
// No error of this package holds any part of a token.
package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"crmgraph/crm"
)

const (
	// cacheSize bounds the number of accepted tokens that are remembered.
	cacheSize = 8192
	// cacheFor bounds how long a suspended tenant's tokens may go on working.
	cacheFor = time.Minute
)

// Authenticator checks bearer tokens. It is safe for concurrent use.
type Authenticator struct {
	config   Config
	issuers  map[string]*issuer // by the iss claim
	accepted *lru.Cache[[sha256.Size]byte, acceptance]
}

// acceptance remembers that a token was good, and what that rests on.
type acceptance struct {
	principal *crm.Principal
	source    keySource
	keys      *keySet // the set that held the token's key
	until     time.Time
}

// New makes an Authenticator. It fetches nothing: an issuer is asked when its first
// token arrives, so one that is down does not keep the server from starting. Fetches
// end with ctx, which should live as long as the server. The error tells what is
// wrong with cfg.
func New(ctx context.Context, cfg Config) (*Authenticator, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	accepted, err := lru.New[[sha256.Size]byte, acceptance](cacheSize)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return &Authenticator{config: cfg, issuers: cfg.issuers(ctx), accepted: accepted}, nil
}

// Authenticate returns who presents the token, which comes without its scheme. The
// principal may be shared between callers and must not be changed. An answer may be
// up to a minute old, yet never outlives the token or its signing key.
//
// Errors: Unauthenticated, with a message that may be shown, for everything wrong
// with the token; Unavailable when the issuer's keys are needed and cannot be had;
// whatever Config.Tenants returns other than NotFound.
func (a *Authenticator) Authenticate(ctx context.Context, bearer string) (*crm.Principal, error) {
	if len(bearer) > maxToken {
		return nil, refuse("the access token is too large")
	}
	now := a.config.Now()
	sum := sha256.Sum256([]byte(bearer))
	if p, ok := a.remembered(ctx, sum, now); ok {
		return p, nil
	}
	t, err := parse(bearer)
	if err != nil {
		return nil, err
	}
	by, ok := a.issuers[t.claims.Issuer]
	if !ok {
		return nil, refuse("the access token's issuer is not accepted")
	}
	// Before the signature, so that a stale token costs neither a key nor arithmetic.
	if err := t.checkTimes(now, a.config.ClockSkew); err != nil {
		return nil, err
	}
	keys, err := by.verify(ctx, now, t)
	if err != nil {
		return nil, err
	}
	p, err := a.principal(ctx, t, by.names)
	if err != nil {
		return nil, err
	}
	a.remember(sum, now, t, acceptance{principal: p, source: by.source, keys: keys})
	return p, nil
}

// remembered returns the principal of a token that was accepted a short while ago
// under keys that its issuer still publishes.
func (a *Authenticator) remembered(
	ctx context.Context, sum [sha256.Size]byte, now time.Time,
) (*crm.Principal, bool) {
	got, ok := a.accepted.Get(sum)
	if !ok || !now.Before(got.until) {
		return nil, false
	}
	keys, err := got.source.current(ctx, now)
	return got.principal, err == nil && keys == got.keys
}

// remember keeps an acceptance until the token expires, or for cacheFor if that is
// sooner. The clock skew is not added: it is a courtesy at the edge.
func (a *Authenticator) remember(sum [sha256.Size]byte, now time.Time, t *token, got acceptance) {
	got.until = now.Add(cacheFor)
	if exp := t.claims.Expiry.Time(); exp.Before(got.until) {
		got.until = exp
	}
	a.accepted.Add(sum, got)
}

// refuse is the error for a token that is not accepted.
func refuse(message string) error {
	return &crm.Error{Code: crm.Unauthenticated, Message: message}
}

// unavailable is the error for keys that cannot be had; cause is for the log.
func unavailable(cause error) error {
	e := &crm.Error{
		Code:    crm.Unavailable,
		Message: "the issuer of the access token cannot be reached; try again later",
	}
	return e.Because(cause)
}
