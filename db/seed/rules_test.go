package seed

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// rule is something that holds for all generated rows; broken selects those it does not
// hold for, $1 being today.
type rule struct{ name, broken string }

// obeys checks the rules that every seeded database keeps.
func obeys(t *testing.T, d database) {
	t.Helper()
	for _, r := range slices.Concat(ledgerRules(), creditRules(), giftCardRules(), partyRules(), vehicleRules()) {
		t.Run(r.name, func(t *testing.T) {
			require.Empty(t, list[string](t, d, "SELECT b::text FROM ("+r.broken+") b WHERE $1::timestamptz IS NOT NULL LIMIT 3", today()))
		})
	}
	t.Run("normalised columns follow from what was entered", func(t *testing.T) { normalised(t, d) })
	t.Run("VINs are well formed and North American ones have their check digit", func(t *testing.T) { vins(t, d) })
}

func ledgerRules() []rule {
	return []rule{
		{"a balance is the sum of its ledger",
			`SELECT a.id FROM loyalty_account a WHERE balance IS DISTINCT FROM (SELECT coalesce(sum(points), 0)
			FROM loyalty_transaction x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id)`},
		{"a balance is what its lots still hold",
			`SELECT a.id FROM loyalty_account a WHERE balance IS DISTINCT FROM (SELECT coalesce(sum(remaining), 0)
			FROM loyalty_lot x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id)`},
		{"balances after run with the ids",
			`SELECT * FROM (SELECT id, balance_after, sum(points) OVER (PARTITION BY tenant_id, account_id ORDER BY id) AS running
			FROM loyalty_transaction) x WHERE balance_after <> running`},
		{"a ledger's ids follow its time",
			`SELECT * FROM (SELECT id, occurred_at, lag(occurred_at) OVER (PARTITION BY tenant_id, account_id ORDER BY id) AS before
			FROM loyalty_transaction) x WHERE before > occurred_at`},
		{"what was earned is purchases less reversed ones",
			`SELECT a.id FROM loyalty_account a WHERE lifetime_earned IS DISTINCT FROM (SELECT coalesce(sum(points), 0)
			FROM loyalty_transaction x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id AND type IN ('EARN', 'REVERSE'))`},
		{"a reversal answers a purchase and a restoration a redemption, exactly and once",
			`SELECT x.id FROM loyalty_transaction x
			LEFT JOIN loyalty_transaction_link l ON l.tenant_id = x.tenant_id AND l.transaction_id = x.id
			LEFT JOIN loyalty_transaction r ON r.tenant_id = l.tenant_id AND r.id = l.related_id AND r.account_id = x.account_id
			WHERE x.type IN ('REVERSE', 'RESTORE') AND (r.id IS NULL OR r.points <> -x.points OR r.id > x.id
				OR r.type <> CASE x.type WHEN 'REVERSE' THEN 'EARN' ELSE 'REDEEM' END)
			UNION ALL SELECT max(transaction_id::text)::uuid FROM loyalty_transaction_link GROUP BY tenant_id, related_id HAVING count(*) > 1`},
		{"only reversals and restorations answer anything",
			`SELECT x.id FROM loyalty_transaction x JOIN loyalty_transaction_link l ON l.tenant_id = x.tenant_id AND l.transaction_id = x.id
			WHERE x.type NOT IN ('REVERSE', 'RESTORE')`},
		{"every credit has one lot of as many points, and nothing else has any",
			`SELECT x.id FROM loyalty_transaction x LEFT JOIN loyalty_lot l ON l.tenant_id = x.tenant_id AND l.transaction_id = x.id
			GROUP BY x.tenant_id, x.id, x.points HAVING count(l.id) <> (x.points > 0)::int OR sum(l.points) <> x.points
			OR min(l.available_at) <> min(x.available_at) OR min(l.expires_at) <> min(x.expires_at)`},
	}
}

func creditRules() []rule {
	return []rule{
		{"what is owed is the sum of the entries",
			`SELECT a.id FROM account a WHERE credit_used <> (SELECT coalesce(sum(amount), 0)
			FROM credit_transaction x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id)`},
		{"what was owed after each entry is the sum so far",
			`SELECT * FROM (SELECT id, used_after, sum(amount) OVER (PARTITION BY tenant_id, account_id ORDER BY sequence) AS running
			FROM credit_transaction) x WHERE used_after <> running`},
		{"entries count the revisions of their account from its first, and come one after the other",
			`SELECT id FROM (SELECT x.id, x.sequence, a.revision, x.created_at, row_number() OVER w AS n, lag(x.created_at) OVER w AS before, lag(x.id) OVER w AS last
				FROM credit_transaction x JOIN account a ON a.tenant_id = x.tenant_id AND a.id = x.account_id
				WINDOW w AS (PARTITION BY x.tenant_id, x.account_id ORDER BY x.sequence)) x
			WHERE sequence <> n OR sequence > revision OR before > created_at OR last > id`},
		{"entries are in the currency of their account, between its making and today",
			`SELECT x.id FROM credit_transaction x JOIN account a ON a.tenant_id = x.tenant_id AND a.id = x.account_id
			WHERE x.currency <> a.currency OR x.created_at < a.created_at OR x.created_at > $1 OR x.created_at > a.updated_at`},
		{"the limit is that of the last entry",
			`SELECT id FROM (SELECT DISTINCT ON (x.tenant_id, x.account_id) x.id, x.credit_limit, a.credit_limit AS now
				FROM credit_transaction x JOIN account a ON a.tenant_id = x.tenant_id AND a.id = x.account_id
				ORDER BY x.tenant_id, x.account_id, x.sequence DESC) x WHERE credit_limit <> now`},
		{"who owes more than its limit does since it was lowered",
			`SELECT a.id FROM account a WHERE credit_used > credit_limit AND (SELECT x.type FROM credit_transaction x
			WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id ORDER BY x.sequence DESC LIMIT 1) IS DISTINCT FROM 'LIMIT_CHANGE'`},
	}
}

func giftCardRules() []rule {
	return []rule{
		{"a gift card's balance is the sum of its ledger",
			`SELECT g.id FROM gift_card g WHERE balance IS DISTINCT FROM (SELECT sum(amount) FROM gift_card_transaction x
			WHERE x.tenant_id = g.tenant_id AND x.gift_card_id = g.id AND x.currency = g.currency)`},
		{"balances after run with the sequence, which ends at the revision, and with time",
			`SELECT * FROM (SELECT id, balance_after, sum(amount) OVER ledger AS running, created_at, lag(created_at) OVER ledger AS before
			FROM gift_card_transaction WINDOW ledger AS (PARTITION BY tenant_id, gift_card_id ORDER BY sequence)) x
			WHERE balance_after <> running OR before > created_at
			UNION ALL SELECT id, 0, 0, created_at, created_at FROM gift_card g WHERE revision < (SELECT max(sequence) FROM gift_card_transaction x
			WHERE x.tenant_id = g.tenant_id AND x.gift_card_id = g.id)`},
		{"gift cards pay as long as they are active, and were bought before today",
			`SELECT g.id, g.status FROM gift_card g WHERE (status IN ('ACTIVE', 'EXPIRED')) <> (balance > 0) OR status = 'EXPIRED' AND expires_at > $1
			OR greatest(created_at, updated_at) > $1 OR expires_at <= created_at
			UNION ALL SELECT g.id, x.type FROM gift_card g JOIN gift_card_transaction x ON x.tenant_id = g.tenant_id AND x.gift_card_id = g.id
			WHERE x.type = 'REDEEM' AND x.created_at >= g.expires_at
			UNION ALL SELECT g.id, c.status FROM gift_card g JOIN customer c ON c.tenant_id = g.tenant_id AND c.id = g.customer_id WHERE c.created_at > g.created_at`},
		{"of a gift card's code the last four characters are shown",
			`SELECT id, masked_code FROM gift_card WHERE masked_code !~ '^(•{4}-){3}[A-Z2-9]{4}$' AND masked_code <> '••••-••••-2026'
			OR code_hash !~ '^[0-9a-f]{64}$'`},
	}
}

func partyRules() []rule {
	return []rule{
		{"nothing happened after today",
			`SELECT id, created_at FROM party WHERE greatest(created_at, updated_at) > $1
			UNION ALL SELECT id, created_at FROM customer WHERE greatest(created_at, updated_at) > $1
			UNION ALL SELECT id, created_at FROM contact WHERE created_at > $1
			UNION ALL SELECT id, occurred_at FROM loyalty_transaction WHERE occurred_at > $1
			UNION ALL SELECT id, effective_from FROM vehicle_association WHERE greatest(effective_from, effective_to) > $1
			UNION ALL SELECT id, updated_at FROM warranty WHERE greatest(starts_at, updated_at) > $1`},
		{"merged parties lead to an active one",
			`SELECT p.id FROM party p LEFT JOIN party s ON s.tenant_id = p.tenant_id AND s.id = p.merged_into_id
			WHERE p.status = 'MERGED' AND (s.status IS DISTINCT FROM 'ACTIVE' OR s.kind <> p.kind)`},
		{"a customer's status agrees with its party's",
			`SELECT c.id, c.status, p.status AS party FROM customer c JOIN party p ON p.tenant_id = c.tenant_id AND p.id = c.id
			WHERE c.status <> CASE WHEN p.status IN ('PENDING', 'SUSPENDED') THEN 'ACTIVE' ELSE p.status END`},
		{"private customers are persons and the others are not",
			`SELECT c.id FROM customer c JOIN party p ON p.tenant_id = c.tenant_id AND p.id = c.id
			WHERE (c.type = 'PRIVATE') <> (p.kind = 'INDIVIDUAL')`},
		{"accounts are of organisations that are customers",
			`SELECT a.id FROM account a LEFT JOIN customer c ON c.tenant_id = a.tenant_id AND c.id = a.id
			WHERE c.type IS NULL OR c.type = 'PRIVATE'`},
		{"nobody can be known from an anonymised party",
			`SELECT p.id FROM party p WHERE p.status = 'ANONYMIZED' AND (first_name <> '[redacted]' OR last_name <> '[redacted]'
				OR birth_date IS NOT NULL OR tax_id IS NOT NULL OR anonymized_at IS NULL OR display_name <> '[redacted]'
				OR EXISTS (SELECT 1 FROM contact_point c WHERE c.tenant_id = p.tenant_id AND c.party_id = p.id)
				OR EXISTS (SELECT 1 FROM identifier i WHERE i.tenant_id = p.tenant_id AND i.party_id = p.id AND i.kind <> 'CODE'))`},
		{"e-mail addresses are of example domains",
			`SELECT id, value FROM contact_point WHERE kind = 'EMAIL' AND value !~ '^[a-z0-9.-]+@example\.(com|org|net)$'
			UNION ALL SELECT id, value FROM identifier WHERE kind = 'EMAIL' AND value !~ '^[a-z0-9.-]+@example\.(com|org|net)$'`},
		{"telephone numbers are compared by their digits, E.164 without the plus",
			`SELECT id, normalised FROM contact_point WHERE kind = 'PHONE' AND normalised !~ '^[1-9][0-9]{7,14}$'
			UNION ALL SELECT id, normalised FROM identifier WHERE kind = 'PHONE' AND normalised !~ '^[1-9][0-9]{7,14}$'`},
		{"a party, its customer and its account count their changes together",
			`SELECT p.id, p.revision, c.revision AS customer, a.revision AS account FROM party p
			LEFT JOIN customer c ON c.tenant_id = p.tenant_id AND c.id = p.id LEFT JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.id
			WHERE p.revision <> c.revision OR p.revision <> a.revision`},
		{"a tier says since when and by whom",
			`SELECT id FROM party WHERE (tier IS NULL) <> (tier_assigned_at IS NULL) OR (tier IS NULL) <> (tier_assigned_by IS NULL)`},
		{"only organisations have core names",
			`SELECT id, core_name FROM party WHERE (kind = 'ORGANIZATION') <> (core_name IS NOT NULL)`},
		{"e-mail addresses can be found by what is left of them when folded",
			`SELECT id, value FROM identifier WHERE (kind = 'EMAIL') <> (folded <> '')`},
		{"primary e-mail addresses and telephones are identifiers, too",
			`SELECT c.id FROM contact_point c WHERE c.is_primary AND NOT EXISTS (SELECT 1 FROM identifier i
			WHERE i.tenant_id = c.tenant_id AND i.party_id = c.party_id AND i.kind = c.kind AND i.normalised = c.normalised)`},
		{"customer codes are claims",
			`SELECT c.id FROM customer c WHERE NOT EXISTS (SELECT 1 FROM identifier i WHERE i.tenant_id = c.tenant_id
			AND i.party_id = c.id AND i.kind = 'CODE' AND i.normalised = c.code AND i.is_claim)`},
		{"contacts are persons at organisations, one of them primary",
			`SELECT c.organization_id FROM contact c JOIN party o ON o.tenant_id = c.tenant_id AND o.id = c.organization_id
			JOIN party p ON p.tenant_id = c.tenant_id AND p.id = c.person_id
			GROUP BY c.tenant_id, c.organization_id HAVING count(*) FILTER (WHERE is_primary) <> 1
			OR bool_or(o.kind <> 'ORGANIZATION') OR bool_or(p.kind <> 'INDIVIDUAL')`},
		{"a role that is held has a primary holder",
			`SELECT organization_id, role_id FROM contact_role GROUP BY tenant_id, organization_id, role_id
			HAVING count(*) FILTER (WHERE is_primary) <> 1`},
		{"no number is beyond its counter",
			`SELECT name FROM counter c WHERE last_value < CASE name
				WHEN 'customer' THEN (SELECT max(number) FROM customer x WHERE x.tenant_id = c.tenant_id)
				WHEN 'party' THEN (SELECT max(number) FROM party x WHERE x.tenant_id = c.tenant_id)
				WHEN 'vehicle' THEN (SELECT max(number) FROM vehicle x WHERE x.tenant_id = c.tenant_id) END`},
		{"every tenant has its three counters",
			`SELECT t.id FROM tenant t LEFT JOIN counter c ON c.tenant_id = t.id GROUP BY t.id
			HAVING array_agg(c.name ORDER BY c.name) <> ARRAY['customer', 'party', 'vehicle']`},
		{"ids are UUIDs of version 7", `SELECT id FROM party WHERE id::text !~ '^.{14}7.{4}[89ab]'`},
	}
}

func vehicleRules() []rule {
	return []rule{
		{"ownership has neither gaps nor overlaps",
			`SELECT * FROM (SELECT id, effective_to, lead(effective_from) OVER history AS next
			FROM vehicle_association WHERE kind = 'OWNER' WINDOW history AS (PARTITION BY tenant_id, vehicle_id ORDER BY effective_from, id)) x
			WHERE next IS NOT NULL AND effective_to IS DISTINCT FROM next`},
		{"owners change hands with the vehicle",
			`SELECT * FROM (SELECT id, party_id, lead(party_id) OVER history AS next
			FROM vehicle_association WHERE kind = 'OWNER' WINDOW history AS (PARTITION BY tenant_id, vehicle_id ORDER BY effective_from, id)) x
			WHERE next = party_id`},
		{"vehicles belong to nobody who is merged, anonymised or no customer",
			`SELECT a.id FROM vehicle_association a LEFT JOIN customer c ON c.tenant_id = a.tenant_id AND c.id = a.party_id
			WHERE a.kind = 'OWNER' AND (c.status IS NULL OR c.status NOT IN ('ACTIVE', 'INACTIVE'))`},
		{"inactive vehicles have no open associations",
			`SELECT v.id FROM vehicle v JOIN vehicle_association a ON a.tenant_id = v.tenant_id AND a.vehicle_id = v.id
			WHERE v.status = 'INACTIVE' AND a.effective_to IS NULL`},
		{"warranties are of the owner and named after the VIN",
			`SELECT w.id FROM warranty w JOIN vehicle v ON v.tenant_id = w.tenant_id AND v.id = w.vehicle_id
			WHERE w.serial_number NOT LIKE v.vin || '%' OR NOT EXISTS (SELECT 1 FROM vehicle_association a
			WHERE a.tenant_id = w.tenant_id AND a.vehicle_id = v.id AND a.party_id = w.customer_id AND a.kind = 'OWNER'
			AND a.effective_to IS NULL AND a.effective_from <= w.starts_at)`},
		{"warranties expire when their months are over, and the status says so",
			`SELECT id, status, expires_at FROM warranty WHERE status = 'EXPIRED' AND expires_at > $1
			OR status = 'ACTIVE' AND expires_at <= $1 OR abs(extract(day FROM expires_at - (starts_at AT TIME ZONE 'UTC'
			+ make_interval(months => months)) AT TIME ZONE 'UTC')) > 3`},
	}
}

func normalised(t *testing.T, d database) {
	rows, err := d.Query(t.Context(), "SELECT display_name, search_name, core_name, tax_id, tax_id_normalised FROM party")
	require.NoError(t, err)
	for rows.Next() {
		var name, search string
		var core, tax, taxNormalised *string
		require.NoError(t, rows.Scan(&name, &search, &core, &tax, &taxNormalised))
		assert.Equal(t, crm.NormaliseName(name), search)
		if core != nil {
			assert.Equal(t, crm.CoreName(name), *core)
		}
		if tax != nil {
			assert.Equal(t, crm.NormaliseTaxID(*tax), *taxNormalised)
		}
	}
	require.NoError(t, rows.Err())
	rows, err = d.Query(t.Context(), "SELECT vin, vin_entered, plate, plate_normalised, unit_number, make, model, trim, search_text FROM vehicle")
	require.NoError(t, err)
	for rows.Next() {
		var v crm.Vehicle
		require.NoError(t, rows.Scan(&v.VINNormalised, &v.VINEntered, &v.Plate, &v.PlateNormalised, &v.UnitNumber, &v.Make, &v.Model, &v.Trim, &v.SearchText))
		assert.Equal(t, crm.VehicleSearchText(&v), v.SearchText)
		if v.Plate != nil {
			assert.Equal(t, crm.NormalisePlate(*v.Plate), *v.PlateNormalised)
		}
		if v.VINEntered != nil {
			assert.Equal(t, crm.NormaliseVIN(*v.VINEntered), *v.VINNormalised)
		}
	}
	require.NoError(t, rows.Err())
}

func vins(t *testing.T, d database) {
	american := 0
	for _, text := range list[string](t, d, "SELECT DISTINCT vin FROM vehicle WHERE vin IS NOT NULL") {
		vin := crm.VIN{Value: text}
		assert.True(t, vin.IsWellFormed(), text)
		if vin.Region() != nil && *vin.Region() == "NORTH_AMERICA" {
			american++
			assert.Equal(t, crm.CheckDigitMatches, vin.CheckDigit(), text)
		}
	}
	assert.Positive(t, american)
}
