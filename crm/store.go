package crm

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// Store is the domain over one database. Its operations act for the principal of the
// context and see only that principal's tenant.
type Store struct {
	DB        *db.DB
	CursorKey []byte           // signs cursors; programs that share clients share the key
	Now       func() time.Time // the clock, UTC
}

// Begin prepares ctx for the operations of one request: it names the tenant to the
// database and holds the loaders, which live as long as the request. Without a principal
// it returns ctx as it is, and every operation answers Unauthenticated.
func (s *Store) Begin(ctx context.Context) context.Context {
	p, ok := PrincipalFrom(ctx)
	if !ok {
		return ctx
	}
	ctx = db.WithTenant(ctx, p.TenantID)
	sess := &session{store: s, tenant: p.TenantID, now: s.Now(), loaders: map[any]any{}}
	ctx = context.WithValue(ctx, sessionKey{}, sess)
	sess.ctx = ctx
	return ctx
}

// begin authorises and returns the request's session.
func begin(ctx context.Context, need ...Permission) (*session, error) {
	if _, err := authorize(ctx, need...); err != nil {
		return nil, err
	}
	sess, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return nil, &Error{Code: Internal, Message: "the request was not begun"}
	}
	return sess, nil
}

// TenantByCode returns the id of an active tenant. Errors: NotFound, Unavailable.
func (s *Store) TenantByCode(ctx context.Context, code string) (uuid.UUID, error) {
	var id uuid.UUID
	err := s.DB.Query(ctx, "SELECT id FROM tenant WHERE code = $1 AND status = 'ACTIVE'", []any{code}, readOne(&id))
	if err != nil {
		return uuid.Nil, failed(err)
	}
	if id == uuid.Nil {
		return uuid.Nil, notFoundf("no such tenant")
	}
	return id, nil
}

// tenants lists the tenants of the database.
func (s *Store) tenants(ctx context.Context) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := s.DB.Query(ctx, "SELECT id FROM tenant ORDER BY id", nil, func(rows pgx.Rows) (err error) {
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	if err != nil {
		return nil, failed(err)
	}
	return ids, nil
}

type correlationKey struct{}

// WithCorrelationID returns a context whose changes are recorded under the id of the
// client's request, at most 128 visible ASCII characters.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey{}, id)
}

func correlationID(ctx context.Context) *string {
	if id, ok := ctx.Value(correlationKey{}).(string); ok && id != "" {
		return &id
	}
	return nil
}
