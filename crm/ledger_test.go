package crm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// With a key, what became of an operation on a ledger is final, whether it was done or refused.
func TestLedgerKeys(t *testing.T) {
	t.Parallel()
	redemption := func(p *purse, points int64) crm.LoyaltyRedemption {
		return crm.LoyaltyRedemption{CustomerID: p.id, OrderRef: "x", Points: points}
	}

	t.Run("a replay answers as the first time and does nothing", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "o", 10)
		first := must(t)(p.store.RedeemPoints(p.admin(t), redemption(p, 5), keyed("k")))
		p.earn(t, "o", 10)
		before := p.rows(t)
		same(t, first, must(t)(p.store.RedeemPoints(p.admin(t), redemption(p, 5), keyed("k"))))
		require.Equal(t, before, p.rows(t))
	})

	t.Run("a refusal stays one, and leaves no account behind", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		_, err := p.store.RedeemPoints(p.admin(t), redemption(p, 5), keyed("k"))
		told := refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points").Message
		require.Empty(t, ask[string](t, p.world, "SELECT id::text FROM loyalty_account WHERE id = substr($1, 5)::uuid", p.id))
		p.earn(t, "o", 10)
		_, err = p.store.RedeemPoints(p.admin(t), redemption(p, 5), keyed("k"))
		require.Equal(t, told, refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points").Message)
		p.store.Now = func() time.Time { return crmtest.Today().Add(25 * time.Hour) }
		must(t)(p.store.RedeemPoints(p.admin(t), redemption(p, 5), keyed("k")))
	})

	t.Run("a key is for one input and one operation", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "o", 10)
		must(t)(p.store.RedeemPoints(p.admin(t), redemption(p, 5), keyed("k")))
		_, err := p.store.RedeemPoints(p.admin(t), redemption(p, 6), keyed("k"))
		refused(t, err, crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
		must(t)(p.store.AdjustPoints(p.admin(t), crm.LoyaltyAdjustment{CustomerID: p.id, Points: -1}, keyed("k")))
		require.Equal(t, []int64{14, 0, 20, 14}, p.balances(t))
	})

	t.Run("what is not found leaves the key free", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "o", 10)
		in := p.correction(func(in *crm.LoyaltyCorrection) { in.OrderRef = new("x") })
		_, err := p.store.RestorePoints(p.admin(t), in, keyed("k"))
		refused(t, err, crm.NotFound, "", "input.orderRef")
		must(t)(p.redeem(t, "x", 5))
		must(t)(p.store.RestorePoints(p.admin(t), in, keyed("k")))
	})

	t.Run("a crowd with one key has one effect", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "o", 500)
		ids := make([]string, crowd)
		for _, err := range together(t, p.wide(t), func(ctx context.Context, i int) error {
			m, err := p.store.RedeemPoints(ctx, redemption(p, 7), keyed("k"))
			if err == nil {
				ids[i] = m.Transaction.NodeID()
			}
			return err
		}) {
			require.NoError(t, err)
		}
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		require.Equal(t, []int64{993, 0, 1000, 993}, p.balances(t))
	})
}

// A balance that cannot be written takes its entry back, although the end of the transaction
// travels with both.
func TestLedgerNeedsItsBalance(t *testing.T) {
	t.Parallel()
	p := newPurse(t)
	p.earn(t, "o", 50)
	_, err := p.sql.Exec(t.Context(), `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
	require.NoError(t, err)
	_, err = p.sql.Exec(t.Context(), `CREATE TRIGGER lost BEFORE UPDATE ON loyalty_account FOR EACH ROW EXECUTE FUNCTION nothing()`)
	require.NoError(t, err)
	before := p.rows(t)
	_, err = p.redeem(t, "x", 10)
	require.Equal(t, crm.Internal, crm.CodeOf(err))
	require.Equal(t, before, p.rows(t))
}

// What moved stays told, whatever became of the customer since.
func TestLedgerKeysOutliveTheCustomersPrivacy(t *testing.T) {
	t.Parallel()
	p := newPurse(t)
	in := crm.LoyaltyEarning{CustomerID: p.id, OrderRef: "o", Amount: crm.MoneyInput{Amount: "10", Currency: "EUR"}}
	first := must(t)(p.store.EarnPoints(p.admin(t), in, keyed("k")))
	_, err := p.store.AnonymizeCustomer(p.admin(t), p.id, crm.Write{})
	require.NoError(t, err)
	same(t, first, must(t)(p.store.EarnPoints(p.admin(t), in, keyed("k"))))
}

// The database itself refuses what the rules never let happen.
func TestLedgerWalls(t *testing.T) {
	t.Parallel()
	p := newPurse(t)
	p.earn(t, "o", 10)
	for name, sql := range map[string]string{
		"loyalty_account_balance_check":    "UPDATE loyalty_account SET balance = -1 WHERE id = substr($1, 5)::uuid",
		"loyalty_account_lifetime_check":   "UPDATE loyalty_account SET lifetime_earned = -1 WHERE id = substr($1, 5)::uuid",
		"loyalty_lot_remaining_check":      "UPDATE loyalty_lot SET remaining = points + 1 WHERE account_id = substr($1, 5)::uuid",
		"loyalty_transaction_sign_check":   "UPDATE loyalty_transaction SET points = -1 WHERE account_id = substr($1, 5)::uuid",
		"loyalty_transaction_sequence_key": "INSERT INTO loyalty_transaction SELECT (json_populate_record(x, json_build_object('id', gen_random_uuid()))).* FROM loyalty_transaction x WHERE account_id = substr($1, 5)::uuid",
	} {
		_, err := p.sql.Exec(t.Context(), sql, p.id)
		require.ErrorContains(t, err, name)
	}
}
