package seed

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"crmgraph/crm"
)

// batch holds generated rows until they are written.
type batch struct {
	tenants      []*tenant
	roles        []*crm.Role
	terms        []*crm.BillingTerms
	parties      []*crm.Party
	identifiers  []*crm.Identifier
	points       []*crm.ContactPoint
	customers    []*crm.Customer
	accounts     []*crm.Account
	credits      []*crm.CreditTransaction
	contacts     []*crm.Contact
	contactRoles []*crm.ContactRole
	vehicles     []*crm.Vehicle
	associations []*crm.VehicleAssociation
	ledgers      []*crm.LoyaltyAccount
	transactions []*crm.LoyaltyTransaction
	links        []*loyaltyLink
	lots         []*crm.LoyaltyLot
	debits       []*loyaltyDebit
	rules        []*crm.LoyaltyPolicy
	warranties   []*crm.Warranty
	cards        []*crm.GiftCard
	cardEntries  []*crm.GiftCardTransaction
	counters     []*counter
}

// The tables that the graph does not show as types.
type (
	tenant struct {
		bun.BaseModel `bun:"table:tenant"`
		ID            uuid.UUID `bun:"id,pk"`
		Code          string    `bun:"code"`
		Name          string    `bun:"name"`
		Status        string    `bun:"status"`
		CreatedAt     time.Time `bun:"created_at"`
	}
	counter struct {
		bun.BaseModel `bun:"table:counter"`
		TenantID      uuid.UUID `bun:"tenant_id,pk"`
		Name          string    `bun:"name,pk"`
		LastValue     int64     `bun:"last_value"`
	}
	loyaltyLink struct {
		bun.BaseModel `bun:"table:loyalty_transaction_link"`
		TenantID      uuid.UUID `bun:"tenant_id,pk"`
		TransactionID uuid.UUID `bun:"transaction_id,pk"`
		RelatedID     uuid.UUID `bun:"related_id,pk"`
		Points        int64     `bun:"points"`
	}
	loyaltyDebit struct {
		bun.BaseModel `bun:"table:loyalty_lot_debit"`
		TenantID      uuid.UUID `bun:"tenant_id,pk"`
		LotID         uuid.UUID `bun:"lot_id,pk"`
		TransactionID uuid.UUID `bun:"transaction_id,pk"`
		Points        int64     `bun:"points"`
	}
)

// table is a table with the rows to be written to it.
type table struct {
	name  string
	write func(context.Context, pgx.Tx) error
}

// tables lists the batch's tables, each after those it refers to.
func (b *batch) tables() []table {
	return []table{
		rows(b.tenants), rows(b.roles), rows(b.terms),
		rows(b.parties), rows(b.identifiers), rows(b.points),
		rows(b.customers), rows(b.accounts), rows(b.credits), rows(b.contacts), rows(b.contactRoles),
		rows(b.vehicles), rows(b.associations),
		rows(b.ledgers), rows(b.transactions), rows(b.links), rows(b.lots), rows(b.debits), rows(b.rules),
		rows(b.warranties), rows(b.cards), rows(b.cardEntries), rows(b.counters),
	}
}

// write copies the rows into their tables.
func (b *batch) write(ctx context.Context, tx pgx.Tx) error {
	b.derive()
	for _, t := range b.tables() {
		if err := t.write(ctx, tx); err != nil {
			return fmt.Errorf("copy into %s: %w", t.name, err)
		}
	}
	return nil
}

// analyze tells the query planner about what was written.
func analyze(ctx context.Context, tx pgx.Tx) error {
	var names []string
	for _, t := range new(batch).tables() {
		names = append(names, t.name)
	}
	if _, err := tx.Exec(ctx, "ANALYZE "+strings.Join(names, ", ")); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	return nil
}

// derive fills the columns that follow from others, once these are final.
func (b *batch) derive() {
	for _, p := range b.parties {
		p.Derive()
	}
	for _, i := range b.identifiers {
		i.Derive()
	}
	for _, o := range b.points {
		o.Derive()
	}
	for _, v := range b.vehicles {
		v.Derive()
	}
}

// rows is the table of a model with the given rows; its columns are the model's.
func rows[T any](all []*T) table {
	model := pgdialect.New().Tables().Get(reflect.TypeFor[*T]())
	columns := make([]string, len(model.Fields))
	for i, f := range model.Fields {
		columns[i] = f.Name
	}
	write := func(ctx context.Context, tx pgx.Tx) error {
		if len(all) == 0 {
			return nil
		}
		values := make([]any, len(columns)) // pgx is done with a row when it asks for the next
		source := pgx.CopyFromSlice(len(all), func(i int) ([]any, error) {
			row := reflect.ValueOf(all[i]).Elem()
			for j, f := range model.Fields {
				values[j] = row.FieldByIndex(f.Index).Interface()
			}
			return values, nil
		})
		_, err := tx.CopyFrom(ctx, pgx.Identifier{model.Name}, columns, source)
		return err
	}
	return table{model.Name, write}
}

// connect opens a connection that acts as the login's own role.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	pgxuuid.Register(conn.TypeMap())
	return conn, nil
}
