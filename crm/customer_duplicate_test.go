package crm_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// duplicates tells who is found, in order, and by what: last name: FIELD STRENGTH, ….
func (w *world) duplicates(t *testing.T, by crm.CustomerDuplicatesBy) []string {
	t.Helper()
	found, err := w.store.CustomerDuplicates(w.admin(t), by, nil, nil)
	require.NoError(t, err)
	require.Equal(t, len(found.Nodes), found.TotalCount)
	list := make([]string, len(found.Nodes))
	for i, d := range found.Nodes {
		list[i] = askOne[string](t, w, "SELECT display_name FROM party WHERE id = $1", d.Customer.ID) + ":"
		for _, m := range d.Matches {
			list[i] += fmt.Sprintf(" %s %s", m.Field, m.Strength)
		}
	}
	return list
}

func probe(p crm.CustomerProbe) crm.CustomerDuplicatesBy { return crm.CustomerDuplicatesBy{Probe: &p} }

// G3N 3.3.
func TestCustomerDuplicateMatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(postal string) []*crm.Address {
		return []*crm.Address{{Line1: "Weg 1", City: "Ort", PostalCode: &postal, CountryCode: "DE"}}
	}
	w.newcomer(t, crm.CustomerCreate{LastName: new("Müller-Łys"), FirstName: new("Ada"), Email: new("Ada.Lys@Dup.example"), Phone: new("+49 (171) 555-0001"),
		ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "Dup-1"}}, Addresses: at("SW1A 2AA")})
	w.newcomer(t, crm.CustomerCreate{LastName: new("Gmail"), Email: new("first.last+shop@gmail.com")})
	for name, c := range map[string]struct {
		probe crm.CustomerProbe
		want  []string
	}{
		"the same e-mail address":                    {crm.CustomerProbe{Email: new(" Ada.Lys@Dup.example ")}, []string{"Ada Müller-Łys: EMAIL EXACT"}},
		"an e-mail address in another case":          {crm.CustomerProbe{Email: new("ada.lys@dup.example")}, []string{"Ada Müller-Łys: EMAIL NORMALIZED"}},
		"an e-mail address with a tag":               {crm.CustomerProbe{Email: new("ada.lys+news@dup.example")}, []string{"Ada Müller-Łys: EMAIL NORMALIZED"}},
		"dots count where the domain is another":     {crm.CustomerProbe{Email: new("adalys@dup.example")}, []string{}},
		"dots and tags do not count for gmail.com":   {crm.CustomerProbe{Email: new("firstlast+other@Gmail.com")}, []string{"Gmail: EMAIL NORMALIZED"}},
		"the same telephone number":                  {crm.CustomerProbe{Phone: new("+49 (171) 555-0001")}, []string{"Ada Müller-Łys: PHONE EXACT"}},
		"a telephone number with other signs":        {crm.CustomerProbe{Phone: new("491715550001")}, []string{"Ada Müller-Łys: PHONE NORMALIZED"}},
		"the same external id":                       {crm.CustomerProbe{ExternalIdentifier: &crm.ExternalIdentifier{System: "pos", Value: "Dup-1"}}, []string{"Ada Müller-Łys: EXTERNAL_REF EXACT"}},
		"an external id of another system":           {crm.CustomerProbe{ExternalIdentifier: &crm.ExternalIdentifier{System: "erp", Value: "Dup-1"}}, []string{}},
		"an external id in another case":             {crm.CustomerProbe{ExternalIdentifier: &crm.ExternalIdentifier{System: "pos", Value: "dup-1"}}, []string{}},
		"the same last name and postal code":         {crm.CustomerProbe{LastName: new("Müller-Łys"), PostalCode: new("SW1A 2AA")}, []string{"Ada Müller-Łys: NAME_POSTAL EXACT"}},
		"without accents, in another case":           {crm.CustomerProbe{LastName: new("MULLER lys"), PostalCode: new("SW1A 2AA")}, []string{"Ada Müller-Łys: NAME_POSTAL NORMALIZED"}},
		"a postal code in another form":              {crm.CustomerProbe{LastName: new("Müller-Łys"), PostalCode: new("sw1a2aa")}, []string{"Ada Müller-Łys: NAME_POSTAL NORMALIZED"}},
		"the last word of a last name is not enough": {crm.CustomerProbe{LastName: new("Łys"), PostalCode: new("SW1A 2AA")}, []string{}},
		"another postal code":                        {crm.CustomerProbe{LastName: new("Müller-Łys"), PostalCode: new("SW1A 2AB")}, []string{}},
		"a name of signs only":                       {crm.CustomerProbe{LastName: new("---"), PostalCode: new("SW1A 2AA")}, []string{}},
		"all that matches is told": {crm.CustomerProbe{Email: new("ada.lys@dup.example"), Phone: new("491715550001"), LastName: new("Müller-Łys"), PostalCode: new("SW1A 2AA"),
			ExternalIdentifier: &crm.ExternalIdentifier{System: "pos", Value: "Dup-1"}}, []string{"Ada Müller-Łys: EMAIL NORMALIZED PHONE NORMALIZED EXTERNAL_REF EXACT NAME_POSTAL EXACT"}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, w.duplicates(t, probe(c.probe))) })
	}
	for name, c := range map[string]struct {
		by   crm.CustomerDuplicatesBy
		want []string
	}{
		"a probe needs something":              {probe(crm.CustomerProbe{}), []string{"by.probe"}},
		"blanks are nothing":                   {probe(crm.CustomerProbe{Email: new(" ")}), []string{"by.probe"}},
		"a last name needs a postal code":      {probe(crm.CustomerProbe{LastName: new("A")}), []string{"by.probe"}},
		"a postal code needs a last name":      {probe(crm.CustomerProbe{PostalCode: new("1"), Email: new("a@b.example")}), []string{"by.probe"}},
		"the values have their forms":          {probe(crm.CustomerProbe{Email: new("no"), Phone: new("1"), ExternalIdentifier: &crm.ExternalIdentifier{}}), []string{"by.probe.email", "by.probe.phone", "by.probe.externalIdentifier.system", "by.probe.externalIdentifier.value"}},
		"exactly one selector, not none":       {crm.CustomerDuplicatesBy{}, []string{"by"}},
		"exactly one selector, not two":        {crm.CustomerDuplicatesBy{CustomerID: new("x"), Probe: &crm.CustomerProbe{}}, []string{"by"}},
		"a customer's id, not that of a party": {crm.CustomerDuplicatesBy{CustomerID: new(crm.Parties.GlobalID(uuid.New()))}, []string{"by.customerId"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.store.CustomerDuplicates(w.admin(t), c.by, nil, nil)
			require.Equal(t, c.want, fields(t, err))
		})
	}
	t.Run("who does not exist is not found", func(t *testing.T) {
		_, err := w.store.CustomerDuplicates(w.admin(t), crm.CustomerDuplicatesBy{CustomerID: new(crm.Customers.GlobalID(uuid.New()))}, nil, nil)
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
	t.Run("needs crm:party:view and crm:party:search", func(t *testing.T) {
		for _, p := range []crm.Permission{crm.PartyView, crm.PartySearch} {
			ctx, _ := crmtest.With(t, w.store, "demo", p)
			_, err := w.store.CustomerDuplicates(ctx, probe(crm.CustomerProbe{Email: new("a@b.example")}), nil, nil)
			require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		}
		ctx, _ := crmtest.As(t, w.store, "demo", "viewer")
		_, err := w.store.CustomerDuplicates(ctx, probe(crm.CustomerProbe{Email: new("a@b.example")}), nil, nil)
		require.NoError(t, err)
	})
	t.Run("other tenants' customers are not found", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		found, err := w.store.CustomerDuplicates(ctx, probe(crm.CustomerProbe{Email: new("ada.lys@dup.example")}), nil, nil)
		require.NoError(t, err)
		require.Empty(t, found.Nodes)
	})
}

func TestCustomerDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := func(first string, n int, in crm.CustomerCreate) *crm.Customer {
		in.FirstName, in.LastName = &first, new("Dupont")
		if n > 0 {
			in.Email = new(fmt.Sprintf("dupont+%d@dup.example", n))
		}
		return w.newcomer(t, in)
	}
	a := made("A", 1, crm.CustomerCreate{Phone: new("555-0100"), Addresses: []*crm.Address{quay()}, ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "1"}}})
	one, two := made("One", 2, crm.CustomerCreate{}), made("Two", 3, crm.CustomerCreate{Phone: new("5550100")})
	three := made("Three", 4, crm.CustomerCreate{Phone: new("555-0100"), Addresses: []*crm.Address{quay()}, Status: new(crm.CustomerInactive)})
	also := made("Also", 5, crm.CustomerCreate{})
	by := crm.CustomerDuplicatesBy{CustomerID: new(a.NodeID())}
	t.Run("most in common first, then by id; never itself; inactive ones, too", func(t *testing.T) {
		require.Negative(t, slices.Compare(one.ID[:], also.ID[:]))
		require.Equal(t, []string{
			"Three Dupont: EMAIL NORMALIZED PHONE EXACT NAME_POSTAL EXACT", "Two Dupont: EMAIL NORMALIZED PHONE NORMALIZED",
			"One Dupont: EMAIL NORMALIZED", "Also Dupont: EMAIL NORMALIZED",
		}, w.duplicates(t, by))
	})
	t.Run("pages follow each other, and each knows the total", func(t *testing.T) {
		var ids []uuid.UUID
		for offset := range 5 {
			found, err := w.store.CustomerDuplicates(w.admin(t), by, new(1), &offset)
			require.NoError(t, err)
			require.Equal(t, 4, found.TotalCount)
			for _, d := range found.Nodes {
				ids = append(ids, d.Customer.ID)
			}
		}
		require.Equal(t, []uuid.UUID{three.ID, two.ID, one.ID, also.ID}, ids)
		for _, page := range [][2]int{{0, 0}, {101, 0}, {1, -1}, {1, 100_001}} {
			_, err := w.store.CustomerDuplicates(w.admin(t), by, &page[0], &page[1])
			require.Equal(t, crm.Invalid, crm.CodeOf(err))
		}
	})
	t.Run("merged and anonymised ones are left out, and lead to whom they were merged into", func(t *testing.T) {
		_, err := w.store.AnonymizeCustomer(w.admin(t), two.NodeID(), crm.Write{})
		require.NoError(t, err)
		w.merge(t, one, three)
		require.Equal(t, []string{"One Dupont: EMAIL NORMALIZED PHONE EXACT NAME_POSTAL EXACT", "Also Dupont: EMAIL NORMALIZED"}, w.duplicates(t, by))
	})
	t.Run("an anonymised one is left out, though its external id still leads to it", func(t *testing.T) {
		gone := made("Gone", 0, crm.CustomerCreate{ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "gone"}}})
		_, err := w.store.AnonymizeCustomer(w.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Empty(t, w.duplicates(t, probe(crm.CustomerProbe{ExternalIdentifier: &crm.ExternalIdentifier{System: "pos", Value: "gone"}})))
	})
	t.Run("a party that is no customer is none", func(t *testing.T) {
		_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("Dupont"), Email: new("dupont+6@dup.example")}, crm.Write{})
		require.NoError(t, err)
		require.Len(t, w.duplicates(t, by), 2)
	})
	t.Run("a customer that has nothing to compare has none", func(t *testing.T) {
		require.Empty(t, w.duplicates(t, crm.CustomerDuplicatesBy{CustomerID: new(w.newcomer(t, crm.CustomerCreate{FirstName: new("Plain")}).NodeID())}))
	})
	t.Run("a customer's own duplicates take three statements", func(t *testing.T) {
		ctx, statements := crmtest.As(t, w.store, "demo", "viewer")
		before := statements.Count()
		_, err := w.store.CustomerDuplicates(ctx, by, nil, nil)
		require.NoError(t, err)
		require.Equal(t, 3, statements.Count()-before) // what it is compared by, who matches, their rows
	})
}
