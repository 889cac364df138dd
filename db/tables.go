package db

// TableKind says how a table may be spread over several servers.
type TableKind int

// The kinds of table.
const (
	TenantTable    TableKind = iota // every row belongs to one tenant; distributed by tenant_id
	ReferenceTable                  // small and the same everywhere
	LocalTable                      // bookkeeping of one server
)

// Tables lists every table with its kind. Tenant tables may refer to reference tables;
// reference and local tables never refer to tenant tables.
func Tables() map[string]TableKind {
	return map[string]TableKind{
		"tenant":                    ReferenceTable,
		"bun_migrations":            LocalTable,
		"bun_migration_locks":       LocalTable,
		"account":                   TenantTable,
		"billing_terms":             TenantTable,
		"communication_preferences": TenantTable,
		"consent":                   TenantTable,
		"consent_change":            TenantTable,
		"contact":                   TenantTable,
		"contact_point":             TenantTable,
		"contact_role":              TenantTable,
		"counter":                   TenantTable,
		"credit_transaction":        TenantTable,
		"customer":                  TenantTable,
		"event":                     TenantTable,
		"gift_card":                 TenantTable,
		"gift_card_transaction":     TenantTable,
		"idempotency_key":           TenantTable,
		"identifier":                TenantTable,
		"location":                  TenantTable,
		"loyalty_account":           TenantTable,
		"loyalty_lot":               TenantTable,
		"loyalty_lot_debit":         TenantTable,
		"loyalty_policy":            TenantTable,
		"loyalty_transaction":       TenantTable,
		"loyalty_transaction_link":  TenantTable,
		"merge":                     TenantTable,
		"merge_loser":               TenantTable,
		"party":                     TenantTable,
		"party_location":            TenantTable,
		"role":                      TenantTable,
		"tenant_settings":           TenantTable,
		"vehicle":                   TenantTable,
		"vehicle_association":       TenantTable,
		"warranty":                  TenantTable,
	}
}
