package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// owing makes a firm that owes an amount of a limit; without an amount it owes nothing.
func (w *world) owing(t *testing.T, name, limit, amount string) *crm.Customer {
	t.Helper()
	firm := w.firm(t, name)
	w.limited(t, accountOf(firm.ID), limit)
	if amount != "" {
		w.bought(t, accountOf(firm.ID), amount)
	}
	return firm
}

func TestMergeTakesCredit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("the survivor owes what all of them owed and keeps its own limit", func(t *testing.T) {
		a, b, c, d := w.owing(t, "Keeps AG", "50.00 EUR", "20.00 EUR"), w.owing(t, "One AG", "100.00 EUR", "90.00 EUR"),
			w.owing(t, "Two AG", "10.00 EUR", "0.01 EUR"), w.owing(t, "Debtless AG", "10.00 USD", "")
		w.held(t, accountOf(c.ID))
		ledger := ask[string](t, w, "SELECT x::text FROM credit_transaction x ORDER BY id")
		result, err := w.store.MergeParties(w.admin(t), partyOf(a), mergeOf(b, c, d), crm.Write{Audit: &crm.Audit{
			Reason: new("one company"), SourceRefs: []*crm.SourceRef{{Kind: "register", ID: "HRB 1"}},
		}})
		require.NoError(t, err)
		require.Equal(t, &crm.Money{Minor: 9_001, Currency: "EUR"}, result.Merge.Moved.Credit)
		require.Equal(t, &crm.AccountCredit{
			Limit: &crm.Money{Minor: 5_000, Currency: "EUR"}, Used: &crm.Money{Minor: 11_001, Currency: "EUR"}, Available: &crm.Money{Currency: "EUR"},
		}, w.account(t, accountOf(a.ID)).Credit(), "nor does a loser's hold come along")
		require.Equal(t, []string{"2 LIMIT_CHANGE 0 0/5000 EUR", "3 CONSUME 2000 2000/5000 EUR", "4 TRANSFER 9001 11001/5000 EUR"}, w.debts(t, accountOf(a.ID)))
		require.Equal(t, "4 TRANSFER -9000 0/10000 EUR", w.debts(t, accountOf(b.ID))[2])
		require.Equal(t, "5 TRANSFER -1 0/1000 EUR", w.debts(t, accountOf(c.ID))[2])
		require.Len(t, w.debts(t, accountOf(d.ID)), 1, "who owed nothing has no entry")
		require.Subset(t, ask[string](t, w, "SELECT x::text FROM credit_transaction x"), ledger, "ledgers are continued, never rewritten")
		require.Equal(t, []string{`one company [{"id": "HRB 1", "kind": "register"}] test`}, ask[string](t, w,
			"SELECT DISTINCT concat_ws(' ', reason, source_refs, actor) FROM credit_transaction WHERE type = 'TRANSFER'"))
		for firm, revision := range map[*crm.Customer]int64{a: 4, b: 4, c: 5, d: 3} {
			require.Equal(t, []int64{revision, revision, revision}, w.revisions(t, firm.ID), "one revision for the whole merge")
		}
		events := func(c *crm.Customer) []string {
			return ask[string](t, w, `SELECT concat_ws(' ', type, record_type, revision_before, revision_after) FROM event
				WHERE record_id = $1 AND type IN ('PARTY_ABSORBED', 'PARTY_MERGED', 'CREDIT_TRANSFERRED') ORDER BY sequence`, c.ID)
		}
		require.Equal(t, []string{"PARTY_ABSORBED Party 3 4", "CREDIT_TRANSFERRED Account 3 4"}, events(a))
		require.Equal(t, []string{"PARTY_MERGED Party 3 4", "CREDIT_TRANSFERRED Account 3 4"}, events(b))
		require.Equal(t, []string{"PARTY_MERGED Party 2 3"}, events(d))
		_, err = w.consume(t, accountOf(a.ID), "0.01 EUR", crm.Write{})
		refused(t, err, crm.Conflict, crm.CreditLimitExceeded, "input.amount")
	})
	t.Run("over two merges", func(t *testing.T) {
		a, b, c := w.owing(t, "First AG", "50.00 EUR", "1.00 EUR"), w.owing(t, "Second AG", "50.00 EUR", "2.00 EUR"), w.owing(t, "Third AG", "50.00 EUR", "4.00 EUR")
		w.merge(t, b, c)
		w.merge(t, a, b)
		require.Equal(t, []string{"4 TRANSFER 400 600/5000 EUR", "5 TRANSFER -600 0/5000 EUR"}, w.debts(t, accountOf(b.ID))[2:])
		require.Equal(t, "7.00 EUR", w.account(t, accountOf(a.ID)).Credit().Used.String())
	})
	t.Run("as customers, for the reason that is given", func(t *testing.T) {
		a, b := w.owing(t, "Target AG", "50.00 EUR", ""), w.owing(t, "Source AG", "50.00 EUR", "2.00 EUR")
		_, err := w.store.MergeCustomers(w.admin(t), b.NodeID(), a.NodeID(), crm.Write{Audit: &crm.Audit{Reason: new("one firm")}})
		require.NoError(t, err)
		require.Equal(t, []string{"one firm"}, ask[string](t, w, "SELECT reason FROM credit_transaction WHERE account_id = $1 AND type = 'TRANSFER'", a.ID))
	})
	t.Run("a survivor without a currency, or without limit and debt, takes the losers'", func(t *testing.T) {
		fresh, cash := w.firm(t, "Fresh AG"), w.owing(t, "Cash AG", "5.00 USD", "")
		_, err := w.store.UpdateCredit(w.admin(t), accountOf(cash.ID), crm.CreditUpdate{Limit: cleared[crm.MoneyInput]()}, crm.Write{})
		require.NoError(t, err)
		for _, a := range []*crm.Customer{fresh, cash} {
			w.merge(t, a, w.owing(t, "Owes "+a.Code, "50.00 EUR", "2.00 EUR"))
			require.Equal(t, &crm.AccountCredit{Used: &crm.Money{Minor: 200, Currency: "EUR"}}, w.account(t, accountOf(a.ID)).Credit())
		}
	})
	t.Run("a survivor without an account gets one", func(t *testing.T) {
		a, b := w.firm(t, "Bare AG"), w.owing(t, "Billed AG", "50.00 EUR", "2.00 EUR")
		_, err := w.store.UpdateAccount(w.admin(t), accountOf(b.ID), crm.AccountUpdate{InvoiceDelivery: given(crm.DeliverByPortal)}, crm.Write{})
		require.NoError(t, err)
		w.do(t, "DELETE FROM account WHERE id = $1", a.ID) // as of organisations from before there were accounts
		w.merge(t, a, b)
		account := w.account(t, accountOf(a.ID))
		require.Equal(t, &crm.AccountCredit{Used: &crm.Money{Minor: 200, Currency: "EUR"}}, account.Credit())
		require.Equal(t, crm.DeliverByPortal, account.InvoiceDelivery)
		require.Equal(t, []string{"2 TRANSFER 200 200/- EUR"}, w.debts(t, accountOf(a.ID)))
		require.Equal(t, []int64{2, 2, 2}, w.revisions(t, a.ID))
	})
	t.Run("who owes nothing moves nothing", func(t *testing.T) {
		a, b := w.firm(t, "Clean AG"), w.owing(t, "Cleaner AG", "50.00 EUR", "")
		require.Equal(t, &crm.MergeCounts{}, w.merge(t, a, b).Merge.Moved)
		require.Empty(t, w.debts(t, accountOf(a.ID)))
		require.NotContains(t, w.events(t, partyOf(a)), "CREDIT_TRANSFERRED")
	})
	w.sound(t)
}

func TestMergeTakesCredit_Refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refuse := func(t *testing.T, reason crm.Reason, field, message string, into *crm.Customer, losers ...*crm.Customer) {
		t.Helper()
		before := w.rows(t)
		_, err := w.store.MergeParties(w.admin(t), partyOf(into), mergeOf(losers...), crm.Write{})
		require.Equal(t, message, refused(t, err, crm.Conflict, reason, field).Message)
		var ids []string
		for _, l := range losers {
			ids = append(ids, partyOf(l))
		}
		_, err = w.store.PreviewMerge(w.admin(t), partyOf(into), ids)
		require.Equal(t, message, refused(t, err, crm.Conflict, reason, field[len("input."):]).Message, "so does the preview")
		require.Equal(t, before, w.rows(t))
	}
	clean, limited := w.firm(t, "Clean AG"), w.owing(t, "Limited AG", "50.00 USD", "")
	euro, dollar := w.owing(t, "Euro AG", "50.00 EUR", "2.00 EUR"), w.owing(t, "Dollar AG", "50.00 USD", "3.00 USD")
	t.Run("debts in two currencies, the survivor's and a loser's", func(t *testing.T) {
		refuse(t, crm.CurrencyMismatch, "input.loserIds[0]", "3.00 USD are owed, and the survivor's account is in EUR", euro, dollar)
	})
	t.Run("debts in two currencies, of two losers", func(t *testing.T) {
		refuse(t, crm.CurrencyMismatch, "input.loserIds[2]", "3.00 USD are owed, and the survivor's account is in EUR", clean, limited, euro, dollar)
	})
	t.Run("a debt that the survivor's limit is not in", func(t *testing.T) {
		refuse(t, crm.CurrencyMismatch, "input.loserIds[0]", "2.00 EUR are owed, and the survivor's account is in USD", limited, euro)
	})
	t.Run("a debt for an account that has ended", func(t *testing.T) {
		doomed := w.firm(t, "Doomed AG")
		_, err := w.store.ChangeAccountStatus(w.admin(t), accountOf(doomed.ID), crm.AccountDoomed, crm.Write{})
		require.NoError(t, err)
		refuse(t, crm.InvalidState, "input.loserIds[0]", "2.00 EUR are owed: the survivor's account is DOOMED and takes no debt", doomed, euro)
	})
	t.Run("more than an account can owe", func(t *testing.T) {
		most := "90071992547409.91 EUR"
		full := w.owing(t, "Full AG", most, most)
		refuse(t, crm.InvalidState, "input.loserIds[0]", "an account owes at most 9007199254740991 minor units", full, euro)
	})
	t.Run("as customers, at the field of the source", func(t *testing.T) {
		_, err := w.store.MergeCustomers(w.admin(t), dollar.NodeID(), euro.NodeID(), crm.Write{})
		refused(t, err, crm.Conflict, crm.CurrencyMismatch, "sourceId")
	})
	t.Run("once the debt is paid they can be merged", func(t *testing.T) {
		_, err := w.release(t, accountOf(dollar.ID), "3.00 USD", crm.Write{})
		require.NoError(t, err)
		w.merge(t, euro, dollar)
	})
	w.sound(t)
}
