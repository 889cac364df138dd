package seed

// count says how many rows of a kind the demo tenant, $1, has.
type count struct {
	name      string
	rows      string
	low, high int
}

const many = 1_000_000

// richness is what makes the demo tenant worth looking at.
func richness() []count {
	customers := func(where string) string { return "SELECT FROM customer WHERE tenant_id = $1 AND " + where }
	parties := func(where string) string { return "SELECT FROM party WHERE tenant_id = $1 AND " + where }
	accounts := func(where string) string { return "SELECT FROM account WHERE tenant_id = $1 AND " + where }
	warranties := func(where string) string { return "SELECT FROM warranty WHERE tenant_id = $1 AND " + where }
	cards := func(where string) string { return "SELECT FROM gift_card WHERE tenant_id = $1 AND " + where }
	entries := func(kind string) string {
		return "SELECT FROM loyalty_transaction WHERE tenant_id = $1 AND type = '" + kind + "'"
	}
	credit := func(kind string) string {
		return "SELECT FROM credit_transaction WHERE tenant_id = $1 AND type = '" + kind + "'"
	}
	return []count{
		{"private customers", customers("type = 'PRIVATE'"), 240, 240},
		{"commercial customers", customers("type = 'COMMERCIAL'"), 50, 58},
		{"authorities", customers("type = 'GOVERNMENT'"), 2, 10},
		{"customers merged", customers("status = 'MERGED'"), 4, 12},
		{"customers inactive", customers("status = 'INACTIVE'"), 4, 20},
		{"customers anonymised", customers("status = 'ANONYMIZED'"), 3, 10},
		{"parties pending", parties("status = 'PENDING'"), 3, 20},
		{"parties suspended", parties("status = 'SUSPENDED'"), 3, 20},
		{"names with accents", parties("display_name ~ '[^ -~]'"), 150, many},
		{"languages", "SELECT DISTINCT language FROM party WHERE tenant_id = $1 AND language IS NOT NULL", 10, many},
		{"subsidiaries", parties("parent_id IS NOT NULL"), 8, 30},
		{"accounts on credit hold", accounts("credit_hold"), 2, 20},
		{"accounts that owe more than their limit", accounts("credit_used > credit_limit"), 2, 20},
		{"entries of credit CONSUME", credit("CONSUME"), 60, many},
		{"entries of credit RELEASE", credit("RELEASE"), 30, many},
		{"entries of credit LIMIT_CHANGE", credit("LIMIT_CHANGE"), 20, many},
		{"tiers", "SELECT DISTINCT tier FROM party WHERE tenant_id = $1 AND tier IS NOT NULL", 6, 6},
		{"billing terms in use", "SELECT DISTINCT billing_terms_id FROM account WHERE tenant_id = $1", 3, 3},
		{"roles held", "SELECT DISTINCT role_id FROM contact_role WHERE tenant_id = $1", 13, 13},
		{"fleets with unit numbers and drivers", `SELECT o.party_id FROM vehicle v
			JOIN vehicle_association o ON o.tenant_id = v.tenant_id AND o.vehicle_id = v.id AND o.kind = 'OWNER' AND o.effective_to IS NULL
			JOIN vehicle_association d ON d.tenant_id = v.tenant_id AND d.vehicle_id = v.id AND d.kind = 'PRIMARY_DRIVER' AND d.effective_to IS NULL
			WHERE v.tenant_id = $1 AND v.unit_number IS NOT NULL GROUP BY o.party_id HAVING count(*) BETWEEN 10 AND 40`, 5, 5},
		{"families that share a car, a name and a telephone", `SELECT o.party_id FROM vehicle_association o
			JOIN vehicle_association d ON d.tenant_id = o.tenant_id AND d.vehicle_id = o.vehicle_id AND d.kind = 'PRIMARY_DRIVER'
			JOIN party a ON a.tenant_id = o.tenant_id AND a.id = o.party_id
			JOIN party b ON b.tenant_id = o.tenant_id AND b.id = d.party_id AND b.last_name = a.last_name
			JOIN contact_point x ON x.tenant_id = o.tenant_id AND x.party_id = a.id AND x.label = 'HOME' AND x.kind = 'PHONE'
			JOIN contact_point y ON y.tenant_id = o.tenant_id AND y.party_id = b.id AND y.normalised = x.normalised
			WHERE o.tenant_id = $1 AND o.kind = 'OWNER'`, 20, 20},
		{"identifiers in other systems", "SELECT FROM identifier WHERE tenant_id = $1 AND kind = 'EXTERNAL'", 50, many},
		{"vehicles with three owners over time", `SELECT vehicle_id FROM vehicle_association WHERE tenant_id = $1 AND kind = 'OWNER'
			GROUP BY vehicle_id HAVING count(*) = 3`, 10, many},
		{"vehicles that nobody owns", `SELECT FROM vehicle v WHERE tenant_id = $1 AND status = 'ACTIVE' AND NOT EXISTS (SELECT FROM vehicle_association a
			WHERE a.tenant_id = v.tenant_id AND a.vehicle_id = v.id AND kind = 'OWNER' AND effective_to IS NULL)`, 8, 8},
		{"retired entries of a vehicle", `SELECT FROM vehicle a JOIN vehicle b ON b.tenant_id = a.tenant_id AND b.vin = a.vin
			WHERE a.tenant_id = $1 AND a.status = 'ACTIVE' AND b.status = 'INACTIVE'`, 6, 6},
		{"vehicles without a VIN", "SELECT FROM vehicle WHERE tenant_id = $1 AND vin IS NULL", 3, 3},
		{"warranties active", warranties("status = 'ACTIVE'"), 100, many},
		{"warranties expired", warranties("status = 'EXPIRED'"), 100, many},
		{"warranties voided", warranties("status = 'VOIDED'"), 5, many},
		{"powertrain warranties renewed", `SELECT serial_number FROM warranty WHERE tenant_id = $1 AND coverage = 'POWERTRAIN'
			GROUP BY serial_number HAVING count(*) > 1`, 10, many},
		{"gift cards", cards("true"), 25, 25},
		{"gift cards unused", cards("status = 'ACTIVE' AND balance = initial_amount AND (expires_at > '2026-03-01Z') IS NOT false"), 5, 5},
		{"gift cards partly used", cards("status = 'ACTIVE' AND balance < initial_amount"), 4, 4},
		{"gift cards used up", cards("status = 'DEPLETED'"), 4, 4},
		{"gift cards found to have expired", cards("status = 'EXPIRED'"), 4, 4},
		{"gift cards past their expiry that nobody noticed", cards("status = 'ACTIVE' AND expires_at < '2026-03-01Z'"), 4, 4},
		{"gift cards made worthless", cards("status = 'VOID'"), 4, 4},
		{"gift cards of nobody known", cards("customer_id IS NULL"), 6, 6},
		{"loyalty accounts", "SELECT FROM loyalty_account WHERE tenant_id = $1", 145, 190},
		{"ledgers that are too short or too long", `SELECT account_id FROM loyalty_transaction WHERE tenant_id = $1
			GROUP BY account_id HAVING count(*) NOT BETWEEN 3 AND 25`, 0, 0},
		{"entries EARN", entries("EARN"), 500, many},
		{"entries REDEEM", entries("REDEEM"), 100, many},
		{"entries ADJUST", entries("ADJUST"), 30, many},
		{"entries EXPIRE", entries("EXPIRE"), 30, many},
		{"entries REVERSE", entries("REVERSE"), 30, many},
		{"entries RESTORE", entries("RESTORE"), 20, many},
		{"lots still pending", "SELECT FROM loyalty_lot WHERE tenant_id = $1 AND remaining > 0 AND available_at > '2026-04-01Z'", 3, many},
		{"lots expired and not booked", "SELECT FROM loyalty_lot WHERE tenant_id = $1 AND remaining > 0 AND expires_at <= '2026-03-01Z'", 20, many},
	}
}

// fixed is a record that people and tests rely on.
type fixed struct{ name, query, want string }

func fixedRecords() []fixed {
	const amelia = " (SELECT id FROM customer WHERE tenant_id = $1 AND number = 1001) "
	const northwind = " (SELECT id FROM party WHERE tenant_id = $1 AND number = 5001) "
	const golf = " (SELECT id FROM vehicle WHERE tenant_id = $1 AND vin = 'WVWZZZ1JZXW000001' AND status = 'ACTIVE') "
	const owned = "kind = 'OWNER' AND effective_to IS NULL"
	return []fixed{
		{"customer 1001", `SELECT concat_ws('|', code, type, c.status, display_name) FROM customer c JOIN party p USING (tenant_id, id)
			WHERE c.tenant_id = $1 AND c.number = 1001`, "CUST-001001|PRIVATE|ACTIVE|Amelia Hartmann"},
		{"customer 1001 claims her address", `SELECT string_agg(value, ' ') FROM identifier WHERE tenant_id = $1 AND party_id =` + amelia +
			`AND kind = 'EMAIL' AND is_claim`, "amelia.hartmann@example.com"},
		{"customer 1001 owns three vehicles", `SELECT count(*)::text FROM vehicle_association WHERE tenant_id = $1 AND party_id =` + amelia +
			"AND " + owned, "3"},
		{"customer 1001 has three warranties", `SELECT (count(*) >= 3)::text FROM warranty WHERE tenant_id = $1 AND customer_id =` + amelia, "true"},
		{"customer 1001 has a long ledger of every type", `SELECT (count(*) > 12)::text || ' ' || count(DISTINCT type) FROM loyalty_transaction
			WHERE tenant_id = $1 AND account_id =` + amelia, "true 6"},
		{"customer 1001 has lots spendable, pending and expired", `SELECT concat_ws(' ',
				bool_or(available_at <= '2026-03-01Z' AND expires_at > '2026-04-01Z'), bool_or(available_at > '2026-04-01Z'), bool_or(expires_at < '2026-03-01Z'))
			FROM loyalty_lot WHERE tenant_id = $1 AND remaining > 0 AND account_id =` + amelia, "t t t"},
		{"customer 1001 is a contact at 5001", `SELECT title FROM contact WHERE tenant_id = $1 AND organization_id =` + northwind +
			"AND person_id =" + amelia, "External Fleet Adviser"},
		{"organisation 5001", `SELECT concat_ws('|', p.display_name, p.legal_name, o.display_name, a.code) FROM party p
			JOIN party o ON o.tenant_id = p.tenant_id AND o.id = p.parent_id JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.id
			WHERE p.tenant_id = $1 AND p.number = 5001`, "Northwind Logistics GmbH|Northwind Logistics GmbH|Northwind Holding SE|ACC-005001"},
		{"organisation 5001 has two subsidiaries", `SELECT count(*)::text FROM party WHERE tenant_id = $1 AND parent_id =` + northwind, "2"},
		{"organisation 5001 has a fleet", `SELECT count(*)::text FROM vehicle_association WHERE tenant_id = $1 AND party_id =` + northwind +
			"AND " + owned, "24"},
		{"organisation 5001 has contacts with several roles", `SELECT (count(*) > 4)::text FROM (SELECT contact_id FROM contact_role
			WHERE tenant_id = $1 AND organization_id =` + northwind + "GROUP BY contact_id HAVING count(*) > 1) c", "true"},
		{"the gift card that anybody may try", `SELECT concat_ws(' ', masked_code, status, balance, currency) FROM gift_card
			WHERE tenant_id = $1 AND customer_id =` + amelia + `AND code_hash = encode(sha256('DEMOGIFT2026'), 'hex')`, "••••-••••-2026 ACTIVE 5000 EUR"},
		{"the Golf", `SELECT concat_ws('|', make, model, year, plate, p.display_name) FROM vehicle v
			JOIN vehicle_association a ON a.tenant_id = v.tenant_id AND a.vehicle_id = v.id AND ` + owned + `
			JOIN party p ON p.tenant_id = v.tenant_id AND p.id = a.party_id
			WHERE v.tenant_id = $1 AND v.id =` + golf, "Volkswagen|Golf|1999|B-AH 1999|Amelia Hartmann"},
		{"the Golf had three owners", `SELECT count(*)::text FROM vehicle_association WHERE tenant_id = $1 AND kind = 'OWNER' AND vehicle_id =` + golf, "3"},
		{"the Golf has an active and an expired warranty", `SELECT string_agg(status, ' ' ORDER BY status) FROM warranty
			WHERE tenant_id = $1 AND vehicle_id =` + golf, "ACTIVE EXPIRED"},
	}
}

// shared says of which values both tenants have some.
type shared struct {
	name   string
	values string
	least  int
}

func sharedWithAcme() []shared {
	return []shared{
		{"customer numbers", "SELECT tenant_id, number AS value FROM customer", 20},
		{"party numbers", "SELECT tenant_id, number AS value FROM party", 20},
		{"vehicle numbers", "SELECT tenant_id, number AS value FROM vehicle", 10},
		{"customer codes", "SELECT tenant_id, code AS value FROM customer", 20},
		{"account codes", "SELECT tenant_id, code AS value FROM account", 4},
		{"party keys", "SELECT tenant_id, key AS value FROM party", 20},
		{"contact keys", "SELECT tenant_id, key AS value FROM contact", 4},
		{"claimed addresses", "SELECT tenant_id, normalised AS value FROM identifier WHERE kind = 'EMAIL' AND is_claim", 15},
		{"VINs", "SELECT tenant_id, vin AS value FROM vehicle", 10},
		{"plates", "SELECT tenant_id, plate_normalised AS value FROM vehicle", 10},
		{"unit numbers", "SELECT tenant_id, unit_number AS value FROM vehicle", 3},
		{"gift card codes", "SELECT tenant_id, code_hash AS value FROM gift_card", 1},
		{"serial numbers", "SELECT tenant_id, serial_number AS value FROM warranty", 3},
		{"customers 1001 of another name", `SELECT c.tenant_id, c.number AS value FROM customer c JOIN party p USING (tenant_id, id)
			WHERE c.number = 1001 AND p.display_name IN ('Amelia Hartmann', 'Viktor Sandoval')`, 1},
	}
}
