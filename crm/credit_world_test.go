package crm_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// money is an amount as clients write it: 125.50 USD.
func money(t *testing.T, text string) crm.MoneyInput {
	t.Helper()
	var in crm.MoneyInput
	_, err := fmt.Sscan(text, &in.Amount, &in.Currency)
	require.NoError(t, err)
	return in
}

// accountOf is the global id of the account of a party or customer.
func accountOf(id uuid.UUID) string { return crm.Accounts.GlobalID(id) }

// account reads one.
func (w *world) account(t *testing.T, id string) *crm.Account {
	t.Helper()
	node, err := w.store.NodeByID(w.admin(t), id)
	require.NoError(t, err)
	return node.(*crm.Account)
}

// debtor makes a firm with a credit limit, and returns its account.
func (w *world) debtor(t *testing.T, name, limit string) *crm.Account {
	t.Helper()
	return w.limited(t, accountOf(w.firm(t, name).ID), limit)
}

// limited gives an account a credit limit.
func (w *world) limited(t *testing.T, id, limit string) *crm.Account {
	t.Helper()
	account, err := w.store.UpdateCredit(w.admin(t), id, crm.CreditUpdate{Limit: given(money(t, limit))}, crm.Write{})
	require.NoError(t, err)
	return account
}

// held stops buying on credit.
func (w *world) held(t *testing.T, id string) {
	t.Helper()
	_, err := w.store.UpdateCredit(w.admin(t), id, crm.CreditUpdate{Hold: given(true)}, crm.Write{})
	require.NoError(t, err)
}

// consume buys on credit.
func (w *world) consume(t *testing.T, id, amount string, write crm.Write) (*crm.CreditMovement, error) {
	t.Helper()
	return w.store.ConsumeCredit(w.admin(t), id, crm.CreditMove{Amount: money(t, amount)}, write)
}

// bought is consume that succeeds.
func (w *world) bought(t *testing.T, id, amount string) *crm.Account {
	t.Helper()
	m, err := w.consume(t, id, amount, crm.Write{})
	require.NoError(t, err)
	return m.Account
}

// release takes an amount off what is owed.
func (w *world) release(t *testing.T, id, amount string, write crm.Write) (*crm.CreditMovement, error) {
	t.Helper()
	return w.store.ReleaseCredit(w.admin(t), id, crm.CreditMove{Amount: money(t, amount)}, write)
}

// debts tells an account's ledger, oldest first: sequence type amount used/limit.
func (w *world) debts(t *testing.T, id string) []string {
	t.Helper()
	return ask[string](t, w, `SELECT concat_ws(' ', sequence, type, amount, used_after || '/' || coalesce(credit_limit::text, '-'), currency)
		FROM credit_transaction WHERE account_id = substr($1, 5)::uuid ORDER BY sequence`, id)
}

// sound requires what every ledger of credit keeps: the entries add up to what is owed, each says
// what was owed after it, and has a revision of the account, the newest at most, to itself.
func (w *world) sound(t *testing.T) {
	t.Helper()
	require.Empty(t, ask[string](t, w, `SELECT a.code || ' owes ' || a.credit_used FROM account a WHERE a.credit_used <> (SELECT coalesce(sum(x.amount), 0)
		FROM credit_transaction x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id)`))
	require.Empty(t, ask[string](t, w, `SELECT x::text FROM (SELECT x.id, x.sequence, x.used_after, a.revision,
			sum(x.amount) OVER (PARTITION BY x.tenant_id, x.account_id ORDER BY x.sequence) AS running
		FROM credit_transaction x JOIN account a ON a.tenant_id = x.tenant_id AND a.id = x.account_id) x
		WHERE used_after <> running OR sequence > revision`))
}
