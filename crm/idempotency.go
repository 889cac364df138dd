package crm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// idempotencyTTL is how long a key is good for.
const idempotencyTTL = 24 * time.Hour

func digest(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}

// outcome is what became of a request with a key.
type outcome struct {
	Result  json.RawMessage `json:"result,omitempty"`
	Refusal *Error          `json:"refusal,omitempty"`
}

// reserve takes the request's key for this transaction, or returns what became of the
// request that had it. Another transaction that is using the key now is waited for.
// Errors: Conflict with IdempotencyMismatch.
func (c *change) reserve(ctx context.Context, operation string, hash []byte) (*outcome, error) {
	statements, prior := c.reservation(operation, hash)
	if err := c.send(ctx, statements...); err != nil {
		return nil, err
	}
	return prior()
}

// reservation is reserve for who sends the statements together with others.
func (c *change) reservation(operation string, hash []byte) (statements []statement, prior func() (*outcome, error)) {
	key := *c.write.IdempotencyKey
	taken := true
	var had []byte
	var text *string
	take := statement{
		sql: `INSERT INTO idempotency_key AS k (tenant_id, operation, key, input_hash, created_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant_id, operation, key) DO UPDATE
			SET input_hash = excluded.input_hash, created_at = excluded.created_at, outcome = NULL
			WHERE k.created_at <= $6 RETURNING false`,
		args: []any{c.tenant, operation, key, hash, c.now, c.now.Add(-idempotencyTTL)}, read: readOne(&taken),
	}
	look := statement{
		sql:  "SELECT input_hash, outcome::text FROM idempotency_key WHERE tenant_id = $1 AND operation = $2 AND key = $3",
		args: []any{c.tenant, operation, key},
		read: func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&had, &text}, func() error { return nil })
			return err
		},
	}
	return []statement{take, look}, func() (*outcome, error) {
		switch {
		case !taken:
			return nil, nil // nobody had it
		case !bytes.Equal(had, hash):
			return nil, conflictf(IdempotencyMismatch, "idempotencyKey", "the key was used for another input within the last 24 hours")
		}
		prior := &outcome{}
		if err := json.Unmarshal([]byte(deref(text)), prior); err != nil {
			return nil, failed(err)
		}
		return prior, nil
	}
}

// replay hands out what became of the earlier request.
func (o *outcome) replay(result any, refusal **Error) error {
	if o.Refusal == nil {
		return json.Unmarshal(o.Result, result)
	}
	*refusal = o.Refusal
	return nil
}

// settle queues keeping what became of the request with its key.
func (c *change) settle(operation string, result any, refusal *Error) error {
	o := outcome{Refusal: refusal}
	if refusal == nil {
		text, err := json.Marshal(result)
		if err != nil {
			return failed(err)
		}
		o.Result = text
	}
	c.exec("UPDATE idempotency_key SET outcome = $4 WHERE tenant_id = $1 AND operation = $2 AND key = $3",
		operation, *c.write.IdempotencyKey, o)
	return nil
}

// finalRefusal returns err when it says what will stay so: the record's state, or another
// record, forbids the act. Whoever was told so must not see a delayed first try succeed.
// Other errors leave the key free.
func finalRefusal(err error) *Error {
	if _, ok := errors.AsType[Problems](err); ok {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Code == Conflict {
		return e
	}
	return nil
}

// unkeep makes the answers that were kept for earlier requests about a record that is no more
// say only that: they hold what it was.
//
// Those of the ledgers stay: they hold points and money, which moved, and no personal data.
func (c *change) unkeep(id uuid.UUID) {
	gone := conflictf(InvalidState, "", "the record of this request was anonymised or erased since")
	c.exec("UPDATE idempotency_key SET outcome = $3 WHERE tenant_id = $1 AND outcome::text LIKE '%' || $2 || '%' AND operation !~ $4",
		id.String(), outcome{Refusal: gone}, ledgerOperations)
}

// ledgerOperations matches the names of operations on ledgers.
const ledgerOperations = "^(loyalty|accountCredit|giftCard)"

// Sweep removes the keys of all tenants that are past their time, and returns how many.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, tenant := range tenants {
		var n int
		err := s.DB.Query(db.WithTenant(ctx, tenant),
			"WITH gone AS (DELETE FROM idempotency_key WHERE tenant_id = $1 AND created_at <= $2 RETURNING 1) SELECT count(*) FROM gone",
			[]any{tenant, s.Now().Add(-idempotencyTTL)}, readOne(&n))
		if err != nil {
			return total, failed(err)
		}
		total += n
	}
	return total, nil
}
