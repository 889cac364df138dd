package crm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

func TestCustomerCreateInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(t *testing.T, in crm.CustomerCreate) error {
		t.Helper()
		_, err := w.store.CreateCustomer(w.admin(t), in, crm.Write{})
		return err
	}
	for name, c := range map[string]struct {
		in   crm.CustomerCreate
		want []string
	}{
		"somebody without e-mail, phone, name and external id is nobody": {crm.CustomerCreate{Tags: []string{"x"}}, []string{"input"}},
		"blanks are no name":                                              {crm.CustomerCreate{FirstName: new(" "), LastName: new("\t")}, []string{"input"}},
		"an organisation needs a registered name":                         {crm.CustomerCreate{Kind: new(crm.Organization), Email: new("a@b.example")}, []string{"input.legalName"}},
		"an organisation has no first name, and all problems are told":    {crm.CustomerCreate{Kind: new(crm.Organization), FirstName: new("A")}, []string{"input.legalName", "input.kind"}},
		"a person has no registered name":                                 {crm.CustomerCreate{LegalName: new("A Ltd")}, []string{"input.legalName"}},
		"a new customer is ACTIVE or INACTIVE":                            {crm.CustomerCreate{LastName: new("A"), Status: new(crm.CustomerMerged)}, []string{"input.status"}},
		"a code has 2 to 32 characters":                                   {crm.CustomerCreate{LastName: new("A"), Code: new("x")}, []string{"input.code"}},
		"an e-mail address has the form local@domain.tld":                 {crm.CustomerCreate{Email: new("a@b")}, []string{"input.email"}},
		"a telephone number has at least 7 digits":                        {crm.CustomerCreate{Phone: new("123-456")}, []string{"input.phone"}},
		"a telephone number has at most 15 digits":                        {crm.CustomerCreate{Phone: new("1234567890123456")}, []string{"input.phone"}},
		"names have at most 100 characters":                               {crm.CustomerCreate{LastName: new(strings.Repeat("é", 101))}, []string{"input.lastName"}},
		"metadata is an object":                                           {crm.CustomerCreate{LastName: new("A"), Metadata: json.RawMessage(`[1]`)}, []string{"input.metadata"}},
		"metadata has at most 16 KiB":                                     {crm.CustomerCreate{LastName: new("A"), Metadata: json.RawMessage(`{"a":"` + strings.Repeat("x", 16<<10) + `"}`)}, []string{"input.metadata"}},
		"metadata holds no NUL":                                           {crm.CustomerCreate{LastName: new("A"), Metadata: json.RawMessage(`{"a":"\u0000"}`)}, []string{"input.metadata"}},
		"metadata holds Unicode":                                          {crm.CustomerCreate{LastName: new("A"), Metadata: json.RawMessage(`{"a":["\ud800"]}`)}, []string{"input.metadata"}},
		"also in its names":                                               {crm.CustomerCreate{LastName: new("A"), Metadata: json.RawMessage("{\"\xff\":1}")}, []string{"input.metadata"}},
		"metadata holds numbers that can be written out":                  {crm.CustomerCreate{LastName: new("A"), Metadata: json.RawMessage(`{"a":{"b":-1E+200000}}`)}, []string{"input.metadata"}},
		"an address needs street, city and country":                       {crm.CustomerCreate{LastName: new("A"), Addresses: []*crm.Address{{}}}, []string{"input.addresses[0].line1", "input.addresses[0].city", "input.addresses[0].countryCode"}},
		"at most 20 addresses":                                            {crm.CustomerCreate{LastName: new("A"), Addresses: slices.Repeat([]*crm.Address{quay()}, 21)}, []string{"input.addresses"}},
		"at most 50 tags":                                                 {crm.CustomerCreate{LastName: new("A"), Tags: strings.Split(strings.Repeat("x", 51), "")}, []string{"input.tags"}},
		"a tag has 1 to 64 characters":                                    {crm.CustomerCreate{LastName: new("A"), Tags: []string{" ", strings.Repeat("x", 65)}}, []string{"input.tags[0]", "input.tags[1]"}},
		"an external id names a system and is given once":                 {crm.CustomerCreate{ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "a b", Value: "1"}, {System: "pos", Value: "1"}, {System: "pos", Value: "1"}}}, []string{"input.externalIdentifiers[0].system", "input.externalIdentifiers[2]"}},
		"a date of birth lies in the past":                                {crm.CustomerCreate{LastName: new("A"), BirthDate: new(crmtest.Today().AddDate(0, 0, 1))}, []string{"input.birthDate"}},
		"all problems of different fields are told together, in one call": {crm.CustomerCreate{LastName: new("A"), Email: new("no"), Phone: new("abc"), Code: new("!"), CountryCode: new("ZZ")}, []string{"input.code", "input.email", "input.phone", "input.countryCode"}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, fields(t, create(t, c.in))) })
	}
	for name, in := range map[string]crm.CustomerCreate{
		"an e-mail address is enough":          {Email: new("enough@example.org")},
		"a telephone number is enough":         {Phone: new("555-0188")},
		"a first name is enough":               {FirstName: new("Cher")},
		"a backslash is no NUL":                {LastName: new("A"), Metadata: json.RawMessage(`{"a":"\\u0000","b":1.5e-30}`)},
		"an external id is enough":             {ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "enough"}}},
		"blanks around a country do not count": {LastName: new("A"), Addresses: []*crm.Address{{Line1: "a", City: "b", CountryCode: " DE "}}},
	} {
		t.Run(name, func(t *testing.T) { require.NoError(t, create(t, in)) })
	}
	t.Run("only countries that are active for the tenant", func(t *testing.T) {
		w.settings(t, crm.TenantSettingsUpdate{ActiveCountries: graphql.OmittableOf([]string{"DE"})})
		require.Equal(t, []string{"input.countryCode"}, fields(t, create(t, crm.CustomerCreate{LastName: new("A"), CountryCode: new("FR")})))
	})
	t.Run("needs crm:party:create", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "demo", "viewer")
		_, err := w.store.CreateCustomer(ctx, crm.CustomerCreate{LastName: new("A")}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

func TestCustomerCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("a person is PRIVATE and ACTIVE, and has no account", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{FirstName: new(" Ansel "), LastName: new("Okonjo"), Metadata: json.RawMessage(`{"n":12345678901234567890.5}`)})
		require.Equal(t, []any{crm.CustomerPrivate, crm.CustomerActive, int64(1)}, []any{c.Type, c.Status, c.Revision})
		require.Equal(t, []string{"Ansel Okonjo ACTIVE INDIVIDUAL"}, ask[string](t, w, "SELECT display_name || ' ' || status || ' ' || kind FROM party WHERE id = $1", c.ID))
		require.Equal(t, []int64{1, 1}, w.revisions(t, c.ID))
		require.Equal(t, `{"n": 12345678901234567890.5}`, askOne[string](t, w, "SELECT metadata::text FROM customer WHERE id = $1", c.ID))
		require.Equal(t, []string{"CUSTOMER_CREATED"}, w.events(t, partyOf(c)))
	})
	t.Run("an organisation is COMMERCIAL and has an account with the default terms", func(t *testing.T) {
		c := w.firm(t, "Blue Mesa Drilling LLC")
		require.Equal(t, crm.CustomerCommercial, c.Type)
		require.Equal(t, "BT-NET30 EMAIL ACTIVE", askOne[string](t, w, `SELECT b.code || ' ' || a.invoice_delivery || ' ' || a.status
			FROM account a JOIN billing_terms b ON b.tenant_id = a.tenant_id AND b.id = a.billing_terms_id WHERE a.id = $1`, c.ID))
	})
	t.Run("who has no name goes by the code", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{Email: new("nameless@example.org")})
		name := "SELECT display_name FROM party WHERE id = $1"
		require.Equal(t, c.Code, askOne[string](t, w, name, c.ID))
		_, err := w.store.UpdateCustomer(w.admin(t), c.NodeID(), crm.CustomerUpdate{Code: graphql.OmittableOf(new("nemo"))}, crm.Write{})
		require.NoError(t, err, "it can be changed without a name")
		require.Equal(t, "NEMO", askOne[string](t, w, name, c.ID))
	})
	t.Run("tags are kept once each, in their order", func(t *testing.T) {
		require.Equal(t, []string{"vip", "fleet"}, w.newcomer(t, crm.CustomerCreate{LastName: new("Tagged"), Tags: []string{"vip", " fleet", "vip"}}).Tags)
	})
	t.Run("contact points become the primary ones, and lead to the customer", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{Email: new(" Ana@X.com "), Phone: new("+1 (415) 555-0134"), ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "C-1001"}}, Addresses: []*crm.Address{quay()}})
		require.Equal(t, []string{"EMAIL Ana@X.com primary", "PHONE +1 (415) 555-0134 primary"}, w.points(t, c.ID))
		require.Equal(t, []string{"CODE " + c.Code + " claimed", "EMAIL Ana@X.com claimed", "EXTERNAL pos C-1001 claimed", "PHONE +1 (415) 555-0134"}, w.identifiers(t, c.ID))
		require.Equal(t, []string{"12 Quay Street, Seattle, 98101, US"}, w.addresses(t, c.ID))
		found, err := w.store.Customer(w.admin(t), crm.CustomerBy{Email: new(" ana@x.COM")})
		require.NoError(t, err)
		require.Equal(t, c.ID, found.ID)
	})
}

func TestCustomerCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	coded := func(code string) error {
		_, err := w.store.CreateCustomer(w.admin(t), crm.CustomerCreate{LastName: new("Coded"), Code: &code}, crm.Write{})
		return err
	}
	t.Run("a code is made from the number", func(t *testing.T) {
		c := w.person(t, "Numbered")
		require.Equal(t, fmt.Sprintf("CUST-%06d", c.Number), c.Code)
	})
	t.Run("a code is kept in upper case and taken in any case", func(t *testing.T) {
		require.NoError(t, coded(" mesa_1-x "))
		found, err := w.store.Customer(w.admin(t), crm.CustomerBy{Code: new("Mesa_1-X")})
		require.NoError(t, err)
		require.Equal(t, "MESA_1-X", found.Code)
		refused(t, coded("MESA_1-x"), crm.Conflict, crm.CodeInUse, "input.code")
	})
	t.Run("the code of a customer that was merged stays taken", func(t *testing.T) {
		a, b := w.person(t, "Kept"), w.person(t, "Ended")
		w.merge(t, a, b)
		refused(t, coded(b.Code), crm.Conflict, crm.CodeInUse, "input.code")
	})
	t.Run("a chosen code does not stand in the way of numbers to come", func(t *testing.T) {
		next := w.person(t, "Before").Number + 1
		require.NoError(t, coded(fmt.Sprintf("CUST-%06d", next+1)))
		c := w.person(t, "After")
		require.Equal(t, next+1, c.Number)
		require.Equal(t, fmt.Sprintf("CUST-%06d-2", next+1), c.Code)
	})
	t.Run("nor does a chosen account code", func(t *testing.T) {
		number := w.firm(t, "Before AG")
		next := askOne[int64](t, w, "SELECT number FROM party WHERE id = $1", number.ID) + 1
		_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "Chosen AG", AccountCode: new(fmt.Sprintf("ACC-%06d", next+1))}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("ACC-%06d-2", next+1), askOne[string](t, w, "SELECT code FROM account WHERE id = $1", w.firm(t, "After SE").ID))
		require.NotNil(t, w.organization(t, "Quite Another Name"))
	})
	t.Run("numbers are never used again", func(t *testing.T) {
		gone := w.person(t, "Gone")
		_, err := w.store.EraseCustomer(w.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, gone.Number+1, w.person(t, "Next").Number)
	})
}

func TestCustomerUniqueness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(t *testing.T, in crm.CustomerCreate) (*crm.Customer, error) {
		t.Helper()
		return w.store.CreateCustomer(w.admin(t), in, crm.Write{})
	}
	first := w.newcomer(t, crm.CustomerCreate{Email: new("one@example.org"), Phone: new("+49 171 000 111"), ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "1"}}})
	t.Run("an e-mail address is one customer's, in any case", func(t *testing.T) {
		_, err := create(t, crm.CustomerCreate{Email: new("ONE@example.org")})
		refused(t, err, crm.Conflict, crm.EmailInUse, "input.email")
	})
	t.Run("a telephone number is not", func(t *testing.T) {
		_, err := create(t, crm.CustomerCreate{Phone: new("+49171000111")})
		require.NoError(t, err)
	})
	t.Run("an external id leads to one customer only", func(t *testing.T) {
		_, err := create(t, crm.CustomerCreate{ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "crm", Value: "1"}, {System: "pos", Value: "1"}}})
		refused(t, err, crm.Conflict, crm.ExternalRefInUse, "input.externalIdentifiers[1]")
	})
	t.Run("the same id of another system, or in another case, is another id", func(t *testing.T) {
		_, err := create(t, crm.CustomerCreate{ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "web", Value: "1"}, {System: "POS", Value: "1"}}})
		require.NoError(t, err)
	})
	t.Run("with ClaimIfFree an address that another has is kept without refusing it", func(t *testing.T) {
		c, err := create(t, crm.CustomerCreate{Email: new("one@Example.org"), ClaimIfFree: true})
		require.NoError(t, err)
		require.Equal(t, []string{"CODE " + c.Code + " claimed", "EMAIL one@Example.org"}, w.identifiers(t, c.ID))
		found, err := w.store.Customer(w.admin(t), crm.CustomerBy{Email: new("one@example.org")})
		require.NoError(t, err)
		require.Equal(t, first.ID, found.ID, "it still leads to the first")
	})
	t.Run("with ClaimIfFree a free address is claimed", func(t *testing.T) {
		c, err := create(t, crm.CustomerCreate{Email: new("free@example.org"), ClaimIfFree: true})
		require.NoError(t, err)
		require.Contains(t, w.identifiers(t, c.ID), "EMAIL free@example.org claimed")
		_, err = create(t, crm.CustomerCreate{Email: new("free@example.org")})
		refused(t, err, crm.Conflict, crm.EmailInUse, "input.email")
	})
	t.Run("another tenant may have the same", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		_, err := w.store.CreateCustomer(ctx, crm.CustomerCreate{Email: new("one@example.org"), Code: &first.Code}, crm.Write{})
		require.NoError(t, err)
	})
	t.Run("telephone numbers are unique where the tenant wants it", func(t *testing.T) {
		w.settings(t, crm.TenantSettingsUpdate{PhoneUnique: graphql.OmittableOf(new(true))})
		_, err := create(t, crm.CustomerCreate{Phone: new("+49 171 000 222")})
		require.NoError(t, err)
		_, err = create(t, crm.CustomerCreate{Phone: new("+49 (171) 000-222")})
		refused(t, err, crm.Conflict, crm.PhoneInUse, "input.phone")
	})
	t.Run("e-mail addresses are not unique where the tenant does not want it, external ids always", func(t *testing.T) {
		w.settings(t, crm.TenantSettingsUpdate{EmailUnique: graphql.OmittableOf(new(false))})
		_, err := create(t, crm.CustomerCreate{Email: new("one@example.org")})
		require.NoError(t, err)
		_, err = create(t, crm.CustomerCreate{ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "1"}}})
		refused(t, err, crm.Conflict, crm.ExternalRefInUse, "input.externalIdentifiers[0]")
	})
}

func TestCustomersCreatedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	last := w.person(t, "Last").Number
	t.Run("with one e-mail address: exactly one is made", func(t *testing.T) {
		errs := together(t, store, func(ctx context.Context, _ int) error {
			_, err := store.CreateCustomer(ctx, crm.CustomerCreate{Email: new("rush@example.org")}, crm.Write{})
			return err
		})
		require.Equal(t, 1, successes(errs))
		for _, err := range errs {
			if err != nil {
				require.Contains(t, reasons(err), crm.EmailInUse)
			}
		}
	})
	t.Run("with one address and ClaimIfFree: all are made and one claims it", func(t *testing.T) {
		errs := together(t, store, func(ctx context.Context, _ int) error {
			_, err := store.CreateCustomer(ctx, crm.CustomerCreate{Email: new("shared@example.org"), ClaimIfFree: true}, crm.Write{})
			return err
		})
		require.Equal(t, crowd, successes(errs), "%v", errs)
		require.Equal(t, []bool{true}, ask[bool](t, w, "SELECT is_claim FROM identifier WHERE normalised = 'shared@example.org' AND is_claim"))
		require.Len(t, ask[bool](t, w, "SELECT is_claim FROM identifier WHERE normalised = 'shared@example.org'"), crowd)
	})
	t.Run("numbers have no gaps, though some were refused", func(t *testing.T) {
		numbers := ask[int64](t, w, "SELECT number FROM customer WHERE "+inDemo+" AND number > $1 ORDER BY 1", last)
		require.Len(t, numbers, 1+crowd)
		for i, n := range numbers {
			require.Equal(t, last+1+int64(i), n)
		}
	})
}

// A create takes one transaction and as many statements however full the tables are.
func TestCustomerCreateStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, statements := crmtest.As(t, w.store, "demo", "admin")
	before := statements.Count()
	_, err := w.store.CreateCustomer(ctx, crm.CustomerCreate{LastName: new("Counted"), Email: new("counted@example.org"), Phone: new("555-0188")}, crm.Write{})
	require.NoError(t, err)
	// begin, commit; settings, numbers, whether the code is free: one round trip each; in one
	// round trip: party, customer, three identifiers, two contact points, event.
	require.Equal(t, 2+3+8, statements.Count()-before)
}
