package crm

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// IndexedColumn is a column of a table that clients may filter or sort by.
type IndexedColumn struct{ Table, Column string }

// FilteredColumns lists the columns of their own tables that types can be filtered by.
func FilteredColumns() []IndexedColumn {
	var list []IndexedColumn
	for _, t := range catalogue.types {
		if !slices.Contains([]string{LoyaltyLots.name, CreditTransactions.name, GiftCardTransactions.name}, t.title()) { // read below one record only
			list = append(list, t.(interface{ filtered() []IndexedColumn }).filtered()...)
		}
	}
	return list
}

func (t *Record[T]) filtered() []IndexedColumn {
	var list []IndexedColumn
	for _, p := range t.paths {
		if name, own := strings.CutPrefix(p.SQL, "t."); own && name != "id" {
			list = append(list, IndexedColumn{t.table, name})
		}
	}
	return list
}

// SortedColumns lists the columns that types can be sorted by.
func SortedColumns() []IndexedColumn {
	return slices.Concat(
		sortedBy("customer", customerOrder), sortedBy("party", partyOrder), sortedBy("contact", contactOrder),
		sortedBy("role", roleOrder), sortedBy("contact_role", contactRoleOrder), sortedBy("vehicle", vehicleOrder),
		sortedBy("loyalty_account", loyaltyAccountOrder), sortedBy("loyalty_transaction", loyaltyTransactionOrder),
		sortedBy("warranty", warrantyOrder), sortedBy("event", eventOrder), sortedBy("gift_card", giftCardOrder))
}

func sortedBy[F ~string](table string, columns map[F]string) []IndexedColumn {
	var list []IndexedColumn
	for _, c := range columns {
		list = append(list, IndexedColumn{table, c})
	}
	return list
}

// Checks are the checks of single texts, as operations use them: what is kept of a text, nil
// for nothing, and what is wrong with it.
func Checks() map[string]func(text string) (*string, error) {
	checks := map[string]func(*problems, *string) *string{
		"text":     func(p *problems, v *string) *string { return p.text("f", v, 10) },
		"email":    func(p *problems, v *string) *string { return p.email("f", v) },
		"phone":    func(p *problems, v *string) *string { return p.phone("f", v, minPhoneDigits) },
		"legacy":   func(p *problems, v *string) *string { return p.phone("f", v, minLegacyPhoneDigits) },
		"code":     func(p *problems, v *string) *string { return p.code("f", v) },
		"key":      func(p *problems, v *string) *string { return p.key("f", v) },
		"country":  func(p *problems, v *string) *string { return p.country("f", v) },
		"language": func(p *problems, v *string) *string { return p.language("f", v) },
		"vin": func(p *problems, v *string) *string {
			vin := p.vin("f", *v)
			return &vin
		},
		"system": matches(systemPattern), "plate": matches(platePattern), "region": matches(regionPattern),
	}
	exported := map[string]func(string) (*string, error){}
	for name, check := range checks {
		exported[name] = func(text string) (*string, error) {
			var p problems
			kept := check(&p, &text)
			return kept, p.err()
		}
	}
	return exported
}

func matches(pattern *regexp.Regexp) func(*problems, *string) *string {
	return func(p *problems, v *string) *string { return p.matching("f", v, pattern, "no match") }
}

// MergePreferences merges the preferences of parties as a merge of the parties does.
func (*Store) MergePreferences(ctx context.Context, survivor uuid.UUID, losers []uuid.UUID, w Write) (int, error) {
	op := operation{"test", []Permission{PartyMerge}}
	parts, err := perform(ctx, op, w, survivor, func(*problems) {}, func(ctx context.Context, c *change) (*int, error) {
		if _, err := c.profiles(ctx, append([]uuid.UUID{survivor}, losers...)...); err != nil {
			return nil, err
		}
		parts, err := c.mergePreferences(ctx, survivor, losers)
		return &parts, err
	})
	if err != nil {
		return 0, err
	}
	return *parts, nil
}

// SetOwnedVINs runs setOwnedVINs for a party, as operations on customers do.
func (*Store) SetOwnedVINs(ctx context.Context, partyID string, vins []string) error {
	var id uuid.UUID
	var list []vinInput
	check := func(p *problems) {
		id = Parties.id(p, "id", partyID)
		list = p.vins("input.vehicleVins", vins)
	}
	_, err := perform(ctx, operation{"test", nil}, Write{}, nil, check, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.target(ctx, id, "id")
		if err != nil {
			return nil, err
		}
		return p.party, c.setOwnedVINs(ctx, p, list, "input.vehicleVins")
	})
	return err
}

// AddMonths is addMonths.
func AddMonths(t time.Time, months int) time.Time { return addMonths(t, months) }

// CheckMoney is the check of an amount of money, or, for a movement, of one that is not zero.
func CheckMoney(in MoneyInput, movement bool) (Money, error) {
	var p problems
	check := p.money
	if movement {
		check = p.movement
	}
	m := check("f", in)
	return m, p.err()
}
