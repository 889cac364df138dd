package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// Write is what every changing operation takes beside its input.
type Write struct {
	// IfRevision is the revision that the caller saw; another stored one is Stale. nil means
	// whatever is stored.
	IfRevision *int64
	// IdempotencyKey makes the operation happen once, however often it is sent within 24
	// hours: 1 to 128 printable ASCII characters. The same key with another input is a
	// Conflict.
	IdempotencyKey *string
	Audit          *Audit
}

// Audit says why something is done; it is kept with the events.
type Audit struct {
	Reason     *string      // 1 to 512 characters
	SourceRefs []*SourceRef // at most 32
}

// SourceRef names a document or record elsewhere that a change comes from.
type SourceRef struct {
	Kind string `json:"kind"` // 1 to 64 characters
	ID   string `json:"id"`   // 1 to 128 characters
}

// operation is one act on the domain. Its name scopes idempotency keys.
type operation struct {
	name string
	need []Permission
}

// perform is the path of every write: it authorises, reports all problems of the input at
// once, replays or reserves the idempotency key, runs do in one transaction that is retried
// when others get in its way, and lets the request's loaders forget what they read. What do
// returns is complete; it must keep nothing of an earlier try.
//
// Errors: Unauthenticated, Forbidden, Invalid, those of do, Conflict with
// IdempotencyMismatch, Unavailable.
func perform[T any](ctx context.Context, op operation, w Write, input any, check func(*problems), do func(context.Context, *change) (*T, error)) (*T, error) {
	s, hash, err := prepare(ctx, op, w, input, check)
	if err != nil {
		return nil, err
	}
	var result *T
	var refusal *Error
	err = s.store.DB.Transact(ctx, func(ctx context.Context, tx *db.Tx) error {
		result, refusal = nil, nil
		c := newChange(ctx, s, tx, w)
		if w.IdempotencyKey == nil {
			var err error
			result, err = run(ctx, c, do)
			return err
		}
		prior, err := c.reserve(ctx, op.name, hash)
		if err != nil {
			return err
		}
		if prior != nil {
			return prior.replay(&result, &refusal)
		}
		err = tx.Try(ctx, func(inner *db.Tx) error {
			c.tx = inner
			var err error
			result, err = run(ctx, c, do)
			return err
		})
		c.tx = tx
		if err != nil {
			c.batch = &pgx.Batch{} // what was queued goes back with what was sent
		}
		if refusal = finalRefusal(err); refusal != nil {
			result, err = nil, nil
		}
		if err != nil {
			return err
		}
		if err := c.settle(op.name, result, refusal); err != nil {
			return err
		}
		return c.flush(ctx)
	})
	switch {
	case err != nil:
		return nil, failed(err)
	case refusal != nil:
		return nil, refusal
	default:
		s.forget()
		return result, nil
	}
}

// prepare is what comes before a transaction: it authorises and checks, and returns what
// tells the input apart.
func prepare(ctx context.Context, op operation, w Write, input any, check func(*problems)) (*session, []byte, error) {
	s, err := begin(ctx, op.need...)
	if err != nil {
		return nil, nil, err
	}
	p := newProblems(ctx)
	w.check(&p)
	check(&p)
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	hash, err := w.hash(input)
	return s, hash, err
}

func run[T any](ctx context.Context, c *change, do func(context.Context, *change) (*T, error)) (*T, error) {
	result, err := do(ctx, c)
	if err != nil {
		return nil, err
	}
	return result, c.flush(ctx)
}

// change is the transaction of one operation. Its reads, those of the catalogue included,
// see what it wrote; its writes are queued and sent together, in their order.
type change struct {
	*session

	write       Write
	actor       string
	correlation *string
	batch       *pgx.Batch
	before      map[any]any // rows as they were read for change
	kept        bool        // see regardless
}

func newChange(ctx context.Context, s *session, tx *db.Tx, w Write) *change {
	principal, _ := PrincipalFrom(ctx)
	inside := &session{
		store: s.store, tenant: s.tenant, tx: tx, ctx: ctx, loaders: map[any]any{},
		now: s.store.Now().Truncate(time.Microsecond), // what Postgres keeps
	}
	return &change{
		session: inside, write: w, actor: principal.Subject, correlation: correlationID(ctx),
		batch: &pgx.Batch{}, before: map[any]any{},
	}
}

// exec queues a statement; $1 is the tenant.
func (c *change) exec(sql string, args ...any) *pgx.QueuedQuery {
	return c.batch.Queue(sql, append([]any{c.tenant}, args...)...)
}

// flush sends what is queued. A broken constraint comes back as the domain's error.
func (c *change) flush(ctx context.Context) error {
	if c.batch.Len() == 0 {
		return nil
	}
	batch := c.batch
	c.batch = &pgx.Batch{}
	return refused(c.tx.Send(ctx, batch))
}

// refused turns the error of a write into the domain's.
func refused(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if name, ok := db.Violated(err); ok {
		if e, known := constraints[name]; known {
			return e.Because(err)
		}
	}
	return failed(err)
}

// find reads rows inside the transaction by a condition on alias t, whose values start at $2
// (at $3 for a type with computed columns).
func find[T any](ctx context.Context, c *change, t *Record[T], condition string, args ...any) ([]*T, error) {
	return t.rows(ctx, c.session, t.matching(c.session, condition, args...))
}

// lock reads rows for change, in the order of their ids, so that two operations never wait
// for each other both. They stay as they are until the transaction ends.
func lock[T any](ctx context.Context, c *change, t *Record[T], condition string, args ...any) ([]*T, error) {
	rows, err := find(ctx, c, t, condition+" ORDER BY t.id FOR NO KEY UPDATE OF t", args...)
	for _, row := range rows {
		remember(c, row)
	}
	return rows, err
}

// lockOne locks the row with an id. Errors: NotFound.
func lockOne[T any](ctx context.Context, c *change, t *Record[T], id uuid.UUID) (*T, error) {
	rows, err := lock(ctx, c, t, "t.id = "+t.param(1), id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, missing("id", t)
	}
	return rows[0], nil
}

// expected is Stale, with the row as it is, when the caller saw another revision of it.
func (c *change) expected(row Node, revision int64) error {
	if want := c.write.IfRevision; want != nil && *want != revision {
		return &Error{
			Code: Stale, Field: "ifRevision", Current: row,
			Message: fmt.Sprintf("the record has changed: it is at %d now, not at %d", revision, *want),
		}
	}
	return nil
}

// insert queues new rows: it gives them the tenant, an id where they have none, the time and
// revision 1.
func insert[T any](c *change, t *Record[T], rows ...*T) {
	for _, row := range rows {
		v := reflect.ValueOf(row).Elem()
		r := v.FieldByName("Row").Addr().Interface().(*Row)
		r.TenantID = c.tenant
		if r.ID == uuid.Nil {
			r.ID = newID()
		}
		t.stamp(v, "created_at", c.now)
		t.stamp(v, "updated_at", c.now)
		t.stamp(v, "revision", int64(1))
		c.batch.Queue(t.insertSQL, t.values(v, t.inserted)...)
	}
}

// update queues a locked row as it is now, with the next revision, and returns the names of
// the fields that changed.
func update[T any](c *change, t *Record[T], row *T) []string {
	v := reflect.ValueOf(row).Elem()
	t.stamp(v, "updated_at", c.now)
	var seen []any
	if f := t.field("revision"); f != nil {
		revision := v.FieldByIndex(f.Index).Int()
		v.FieldByIndex(f.Index).SetInt(revision + 1)
		seen = append(seen, revision)
	}
	args := append(t.values(v, t.updated), seen...)
	c.batch.Queue(t.updateSQL, args...)
	return t.changed(c.before[row], row)
}

// remove queues the deletion of a row.
func remove[T any](c *change, t *Record[T], id uuid.UUID) {
	c.exec("DELETE FROM "+t.table+" WHERE tenant_id = $1 AND id = $2", id)
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// changed names the fields in which two rows differ, as the schema does; derived columns and
// bookkeeping say nothing.
func (t *Record[T]) changed(before any, after *T) []string {
	was, ok := before.(*T)
	if !ok {
		return nil
	}
	a, b := reflect.ValueOf(was).Elem(), reflect.ValueOf(after).Elem()
	var names []string
	for _, f := range t.updated {
		if !bookkeeping[f.Name] && !reflect.DeepEqual(a.FieldByIndex(f.Index).Interface(), b.FieldByIndex(f.Index).Interface()) {
			names = append(names, camel(f.Name))
		}
	}
	return names
}

// bookkeeping are the columns that follow from others.
var bookkeeping = map[string]bool{
	"tenant_id": true, "id": true, "updated_at": true, "updated_by": true, "revision": true, "search_name": true, "search_trading_name": true, "core_name": true,
	"tax_id_normalised": true, "plate_normalised": true, "unit_normalised": true,
	"description_normalised": true, "search_text": true, "normalised": true, "folded": true,
}

// camel spells a column's name as the schema spells fields: parent_id is parent.
func camel(column string) string {
	words := strings.Split(strings.TrimSuffix(column, "_id"), "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// hash tells inputs apart: that of the operation, and the revision it was meant for.
func (w Write) hash(input any) ([]byte, error) {
	if w.IdempotencyKey == nil {
		return nil, nil
	}
	text, err := json.Marshal([]any{input, w.IfRevision, w.Audit})
	if err != nil {
		return nil, failed(err)
	}
	return digest(text), nil
}
