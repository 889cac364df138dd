package crm

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/graph-gophers/dataloader/v7"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// Loads that no look-ahead announced wait this long for company, which only other root fields can give,
// before they are sent as one statement of at most maxBatch keys.
const (
	batchWait = time.Millisecond
	maxBatch  = 1000
)

type sessionKey struct{}

// session is what the operations of one request share.
type session struct {
	store  *Store
	tenant uuid.UUID
	now    time.Time // one time for the whole request
	// Batches run on the request's context, not on that of the field that happened to ask
	// first: they end with the request, not with one branch of it.
	ctx context.Context //nolint:containedctx // see above

	tx *db.Tx // inside a change, its transaction

	mu      sync.Mutex
	loaders map[any]any
}

// forget drops everything that was loaded, for the records changed.
func (s *session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaders = map[any]any{}
}

// loader is a dataloader whose cache can be asked and filled from outside.
type loader[K comparable, V any] struct {
	*dataloader.Loader[K, V]

	cache *dataloader.InMemoryCache[K, V]

	mu     sync.Mutex
	coming map[K]*level // the last one that the key was announced for
}

// Load is the library's, which gets ready to wait before it looks for what is there.
func (l *loader[K, V]) Load(ctx context.Context, key K) dataloader.Thunk[V] {
	if there, ok := l.cache.Get(ctx, key); ok {
		return there
	}
	return l.Loader.Load(ctx, key)
}

// settle says what is behind a key, a value or why there is none, unless somebody else said it before.
func (l *loader[K, V]) settle(ctx context.Context, key K, value V, err error) {
	if err == nil {
		l.Prime(ctx, key, value)
	} else if _, ok := l.cache.Get(ctx, key); !ok {
		l.cache.Set(ctx, key, func() (V, error) { return value, err })
	}
}

// missing returns the keys, each different, that are neither loaded nor announced for the level, and
// announces these.
func (l *loader[K, V]) missing(ctx context.Context, at *level, keys []K) []K {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []K
	for _, key := range keys {
		if _, ok := l.cache.Get(ctx, key); !ok && l.coming[key] != at {
			l.coming[key] = at
			list = append(list, key)
		}
	}
	return list
}

// loaderOf returns the session's loader for owner, a type or an edge of the catalogue.
// batch returns what it found; a key without an entry gives V's zero value.
func loaderOf[K comparable, V any](s *session, owner any, batch func(*session, []K) (map[K]V, error)) *loader[K, V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.loaders[owner]; ok {
		return l.(*loader[K, V])
	}
	run := func(_ context.Context, keys []K) []*dataloader.Result[V] {
		found, err := batch(s, keys)
		results := make([]*dataloader.Result[V], len(keys))
		for i, k := range keys {
			results[i] = &dataloader.Result[V]{Data: found[k], Error: err}
		}
		return results
	}
	cache := dataloader.NewCache[K, V]()
	l := &loader[K, V]{cache: cache, coming: map[K]*level{}, Loader: dataloader.NewBatchedLoader(run,
		dataloader.WithCache[K, V](cache),
		dataloader.WithWait[K, V](batchWait),
		dataloader.WithBatchCapacity[K, V](maxBatch),
		dataloader.WithInputCapacity[K, V](maxBatch))}
	s.loaders[owner] = l
	return l
}

// query runs one statement for the session's tenant, which is always $1.
func (s *session) query(ctx context.Context, st statement) error {
	run := s.store.DB.Query
	switch {
	case s.tx != nil:
		run = s.tx.Query
	case st.composed:
		run = s.store.DB.QueryPlanned
	}
	if err := run(ctx, st.sql, st.args, st.read); err != nil {
		return failed(err)
	}
	return nil
}

// send runs statements for the session's tenant in one round trip.
func (s *session) send(ctx context.Context, statements ...statement) error {
	if len(statements) == 0 {
		return nil
	}
	var batch pgx.Batch
	queue(&batch, statements)
	run := s.store.DB.Send
	if s.tx != nil {
		run = s.tx.Send
	}
	if err := run(ctx, &batch); err != nil {
		return failed(err)
	}
	return nil
}

func queue(batch *pgx.Batch, statements []statement) {
	for _, st := range statements {
		batch.Queue(st.sql, st.args...).Query(st.read)
	}
}

// statement is a piece of SQL with its values and what reads its rows.
type statement struct {
	sql  string
	args []any
	read func(pgx.Rows) error
	// composed says that a client put the conditions together, so that no plan fits all values.
	composed bool
}

// readOne reads the single value of the single row into dst, which keeps its value when
// there is no row.
func readOne(dst any) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(dst); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// readAll appends the single value of each row to dst.
func readAll[T any](dst *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*dst, err = pgx.AppendRows(*dst, rows, pgx.RowTo[T])
		return err
	}
}

// failed turns an error of the database into the domain's, and leaves the domain's own.
func failed(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if db.IsUnavailable(err) {
		return &Error{Code: Unavailable, Message: "the database cannot answer now, try again", cause: err}
	}
	return &Error{Code: Internal, Message: "internal error", cause: err}
}
