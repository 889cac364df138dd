package seed

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestDemo_SeedsOnce(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var first, second bool
	var together errgroup.Group
	for _, seeded := range []*bool{&first, &second} {
		together.Go(func() (err error) {
			*seeded, err = Demo(t.Context(), d.url, today())
			return err
		})
	}
	require.NoError(t, together.Wait())
	require.NotEqual(t, first, second, "one of two that start together seeds")
	require.Equal(t, []string{"acme", "demo"}, list[string](t, d, "SELECT code FROM tenant WHERE status = 'ACTIVE' ORDER BY code"))

	before := d.dump(t)
	again, err := Demo(t.Context(), d.url, today())
	require.NoError(t, err)
	require.False(t, again)
	require.Equal(t, before, d.dump(t))
}

func TestDemo_LeavesOtherTenantsAlone(t *testing.T) {
	t.Parallel()
	d := setup(t)
	_, err := d.Exec(t.Context(), "INSERT INTO tenant (id, code, name) VALUES (gen_random_uuid(), 'mine', 'Mine')")
	require.NoError(t, err)
	seeded, err := Demo(t.Context(), d.url, today())
	require.NoError(t, err)
	require.False(t, seeded)
	require.Equal(t, []string{"mine"}, list[string](t, d, "SELECT code FROM tenant"))
}

func TestDemo_SaysWhenTheDatabaseIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := Demo(t.Context(), "postgres://nobody@127.0.0.1:1/none", today())
	require.ErrorContains(t, err, "reach the database")
}

func TestDemo_IsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	one, two, later := setup(t), setup(t), setup(t)
	for d, day := range map[database]time.Time{one: today(), two: today(), later: today().AddDate(0, 1, 0)} {
		_, err := Demo(t.Context(), d.url, day)
		require.NoError(t, err)
	}
	require.Equal(t, one.dump(t), two.dump(t))
	require.NotEqual(t, one.dump(t), later.dump(t))
}

func TestDemo_LivesInTheCurrentMonth(t *testing.T) {
	t.Parallel()
	late := time.Date(2026, time.February, 28, 23, 30, 0, 0, time.FixedZone("", -3600))
	require.Equal(t, today(), monthOf(late))
}

func TestDemo(t *testing.T) {
	t.Parallel()
	d := setup(t)
	seeded, err := Demo(t.Context(), d.url, today())
	require.NoError(t, err)
	require.True(t, seeded)
	demo := one[uuid.UUID](t, d, "SELECT id FROM tenant WHERE code = 'demo'")

	obeys(t, d)
	t.Run("the reference lists are complete and in order", func(t *testing.T) {
		require.Equal(t, []string{
			"BILLING", "APPROVER", "DRIVER", "PAYMENT_AUTHORIZER", "OPERATIONS", "PRIMARY_BUSINESS_CONTACT", "TECHNICAL",
			"BUYER", "PAYER", "SALES_REP", "PRIMARY", "LOGISTICS", "CONTACT",
		}, list[string](t, d, "SELECT code FROM role WHERE tenant_id = $1 ORDER BY position", demo))
		require.Equal(t, []string{"BT-COD 0 false", "BT-NET30 30 true", "BT-NET60 60 false"},
			list[string](t, d, "SELECT concat_ws(' ', code, net_days, is_default::text) FROM billing_terms WHERE tenant_id = $1 ORDER BY code", demo))
	})
	for _, c := range richness() {
		t.Run(c.name, func(t *testing.T) {
			count := one[int](t, d, "SELECT count(*)::int FROM ("+c.rows+") r", demo)
			require.GreaterOrEqual(t, count, c.low)
			require.LessOrEqual(t, count, c.high)
		})
	}
	for _, r := range fixedRecords() {
		t.Run(r.name, func(t *testing.T) { require.Equal(t, r.want, one[string](t, d, r.query, demo)) })
	}
	for _, s := range sharedWithAcme() {
		t.Run("both tenants have some "+s.name, func(t *testing.T) {
			shared := one[int](t, d, `SELECT count(DISTINCT a.value)::int FROM (`+s.values+`) a JOIN (`+s.values+`) b USING (value)
				WHERE a.tenant_id < b.tenant_id`)
			require.GreaterOrEqual(t, shared, s.least)
		})
	}
	t.Run("no id is in both tenants", func(t *testing.T) {
		require.Zero(t, one[int](t, d, "SELECT count(*)::int FROM party a JOIN party b ON b.id = a.id AND b.tenant_id <> a.tenant_id"))
	})
}

// What was noted down from one demo still leads to it in the next, whenever that was made.
func TestDemo_TheSameIDsInEveryMonth(t *testing.T) {
	t.Parallel()
	ids := func(month time.Time) map[string]uuid.UUID {
		b := demoTenant(month)
		found := map[string]uuid.UUID{"the tenant": b.tenants[0].ID}
		for _, c := range b.customers {
			if c.Number == 1001 || c.Number == 1002 {
				found[fmt.Sprintf("customer %d", c.Number)] = c.ID
			}
		}
		for _, p := range b.parties {
			if p.Number >= 5001 && p.Number <= 5004 {
				found[fmt.Sprintf("party %d", p.Number)] = p.ID
			}
		}
		for _, v := range b.vehicles {
			if v.VINNormalised != nil && *v.VINNormalised == goldenVIN {
				found["the Golf"] = v.ID
			}
		}
		for i, card := range b.cards {
			found[fmt.Sprintf("gift card %d", i+1)] = card.ID
		}
		return found
	}
	march := ids(today())
	require.Len(t, march, 33)
	for month := range 36 {
		require.Equal(t, march, ids(today().AddDate(0, month, 0)))
	}
}
