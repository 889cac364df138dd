package crm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// anyCode is a new customer with a code that need not look like one.
func anyCode(code string) crm.CustomerCreate {
	return crm.CustomerCreate{LastName: new("Legacy"), Code: &code, AnyCode: true}
}

func TestCustomerCodeOfAnyKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	found := func(t *testing.T, code string) *crm.Customer {
		t.Helper()
		c, err := w.store.Customer(w.admin(t), crm.CustomerBy{Code: &code})
		require.NoError(t, err, code)
		return c
	}
	recoded := func(t *testing.T, c *crm.Customer, code string) error {
		t.Helper()
		_, err := w.store.UpdateCustomer(w.admin(t), c.NodeID(), crm.CustomerUpdate{Code: given(code), AnyCode: true}, crm.Write{})
		return err
	}
	t.Run("it is kept as given and leads to the customer in any case", func(t *testing.T) {
		for _, code := range []string{"x", "no. 7/b", "Ünïcode ✓", strings.Repeat("ä", 50)} {
			c := w.newcomer(t, anyCode(" "+code+" "))
			require.Equal(t, code, c.Code)
			require.Contains(t, w.identifiers(t, c.ID), "CODE "+code+" claimed")
			for _, spelt := range []string{code, strings.ToUpper(code), " " + strings.ToLower(code)} {
				require.Equal(t, c.ID, found(t, spelt).ID, spelt)
			}
		}
	})
	t.Run("it is refused when it is longer, or given as a code of the usual kind", func(t *testing.T) {
		_, err := w.store.CreateCustomer(w.admin(t), anyCode(strings.Repeat("a", 51)), crm.Write{})
		require.Equal(t, []string{"input.code"}, fields(t, err))
		usual := anyCode("no. 8")
		usual.AnyCode = false
		_, err = w.store.CreateCustomer(w.admin(t), usual, crm.Write{})
		require.Equal(t, []string{"input.code"}, fields(t, err))
		c := w.person(t, "Usual")
		_, err = w.store.UpdateCustomer(w.admin(t), c.NodeID(), crm.CustomerUpdate{Code: given("no. 8")}, crm.Write{})
		require.Equal(t, []string{"input.code"}, fields(t, err))
		require.Equal(t, []string{"input.code"}, fields(t, recoded(t, c, " ")))
	})
	t.Run("case does not make it another one", func(t *testing.T) {
		w.newcomer(t, anyCode("Same One"))
		_, err := w.store.CreateCustomer(w.admin(t), anyCode("sAME oNE"), crm.Write{})
		refused(t, err, crm.Conflict, crm.CodeInUse, "input.code")
		refused(t, recoded(t, w.person(t, "Other"), "SAME ONE"), crm.Conflict, crm.CodeInUse, "input.code")
	})
	t.Run("another code takes its place, also one in another case", func(t *testing.T) {
		c := w.newcomer(t, anyCode("first, of all"))
		for _, code := range []string{"First, of all", "second", "Second", "Second"} {
			require.NoError(t, recoded(t, c, code))
			require.Equal(t, []string{"CODE " + code + " claimed"}, w.identifiers(t, c.ID))
			require.Equal(t, code, found(t, code).Code)
		}
		w.newcomer(t, anyCode("FIRST, OF ALL"))
	})
	t.Run("a name is not what the code was", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{Email: new("nameless@code.example"), Code: new("old name"), AnyCode: true})
		require.Equal(t, "old name", w.find(t, partyOf(c)).DisplayName)
		require.NoError(t, recoded(t, c, "new name"))
		require.Equal(t, "new name", w.find(t, partyOf(c)).DisplayName)
	})
	t.Run("it comes with a merge and can be taken up again", func(t *testing.T) {
		kept, ended := w.newcomer(t, anyCode("kept one")), w.newcomer(t, anyCode("ended one"))
		w.merge(t, kept, ended)
		require.Equal(t, []string{"CODE ended one claimed alias", "CODE kept one claimed"}, w.identifiers(t, kept.ID))
		require.Equal(t, kept.ID, found(t, "ENDED one").ID)
		_, err := w.store.CreateCustomer(w.admin(t), anyCode("Ended One"), crm.Write{})
		refused(t, err, crm.Conflict, crm.CodeInUse, "input.code")
		require.NoError(t, recoded(t, kept, "ENDED One"))
		require.Equal(t, []string{"CODE ENDED One claimed"}, w.identifiers(t, kept.ID))
	})
	t.Run("it stays when the customer is anonymised", func(t *testing.T) {
		c := w.newcomer(t, anyCode("blacked out"))
		_, err := w.store.AnonymizeCustomer(w.admin(t), c.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, c.ID, found(t, "Blacked Out").ID)
	})
	t.Run("search finds it in any case", func(t *testing.T) {
		c := w.newcomer(t, anyCode("Zz-finder 9"))
		for _, text := range []string{"Zz-finder 9", "zz-FINDER 9"} {
			hits, err := w.store.Search(w.admin(t), text, []crm.SearchType{crm.SearchCustomer}, nil)
			require.NoError(t, err)
			require.NotEmpty(t, hits, text)
			require.Equal(t, c.NodeID(), hits[0].Node.(*crm.Customer).NodeID(), text)
			require.Equal(t, "Zz-finder 9", hits[0].MatchedText)
		}
	})
	t.Run("a made-up code gives way to it", func(t *testing.T) {
		next := w.person(t, "Before").Number + 1
		w.newcomer(t, anyCode(fmt.Sprintf("cust-%06d", next+1)))
		require.Equal(t, fmt.Sprintf("CUST-%06d-2", next+1), w.person(t, "After").Code)
	})
	t.Run("of a crowd that wants it, one gets it", func(t *testing.T) {
		store := w.wide(t)
		require.Len(t, winners(t, store, func(ctx context.Context, i int) error {
			code := "Wanted by all"
			if i%2 == 0 {
				code = strings.ToLower(code)
			}
			_, err := store.CreateCustomer(ctx, anyCode(code), crm.Write{})
			return err
		}), 1)
	})
}
