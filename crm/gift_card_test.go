package crm_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// codeOf is a gift card that has a code and nothing else.
func codeOf(code string) *crm.GiftCard {
	card := &crm.GiftCard{}
	card.SetCode(code)
	return card
}

// G3N 1.4: hyphens and case are ignored on input.
func TestGiftCardCodesAreComparedWithoutHyphensCaseAndSpaces(t *testing.T) {
	t.Parallel()
	card := codeOf("GIFT-2026-0_1")
	require.Regexp(t, "^[0-9a-f]{64}$", card.CodeHash)
	for _, spelling := range []string{
		"GIFT-2026-0_1", "gift-2026-0_1", "GIFT20260_1", " gift2026-0_1\t", "gift 2026 0_1", "--G-I-F-T-2-0-2-6-0-_-1--", "GiFt20260_1",
	} {
		require.Equal(t, card.CodeHash, codeOf(spelling).CodeHash, "%q", spelling)
		require.Equal(t, "GIFT-2026-0_1", card.Code(spelling), "%q", spelling)
	}
	for _, other := range []string{"GIFT-2026-0-1", "GIFT-2026-01", "GIFT-2026-0_", "GIFT-2026-0_12", "GIFT.2026.0_1", "", "-"} {
		require.NotEqual(t, card.CodeHash, codeOf(other).CodeHash, "%q", other)
		require.Equal(t, card.MaskedCode, card.Code(other), "%q", other)
	}
}

func TestGiftCardMask(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct{ masked, lastFour string }{
		"ABCD-EFGH-JKLM-NPQR":              {"••••-••••-••••-NPQR", "NPQR"},
		"gift-2026-0001":                   {"••••-••••-0001", "0001"},
		"DEMO_GIFT_7":                      {"•••••••FT_7", "FT_7"},
		"ABCDEFGHJKLMNPQRSTUVWXYZ23456789": {strings.Repeat("•", 28) + "6789", "6789"},
		"ABCDEF-GH":                        {"••••EF-GH", "EFGH"},
		"ABCDEFG":                          {"••••EFG", "EFG"},
		"ABCDE":                            {"•••DE", "DE"},
		"AB-CD":                            {"••-CD", "CD"},
		"ABC":                              {"••C", "C"},
		"AB":                               {"•B", "B"},
		"A-":                               {"•-", ""},
		"A_B-C-":                           {"••B-C-", "BC"},
	} {
		card := codeOf(code)
		require.Equal(t, want.masked, card.MaskedCode, code)
		require.Equal(t, want.lastFour, card.LastFour(), code)
		require.Equal(t, strings.ToUpper(code), card.Code(strings.ToLower(code)), "what was presented fills the mask")
		shown := len(card.LastFour())
		require.LessOrEqual(t, 2*shown, len(crm.NormaliseGiftCardCode(code)), "never more than half of %s", code)
		require.LessOrEqual(t, shown, 4)
	}
}

// G3N 1.4: 16 characters of A-HJ-NP-Z2-9, shown XXXX-XXXX-XXXX-XXXX.
func TestGiftCardCodesMadeUp(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){3}$`)
	const codes = 10_000
	seen := map[string]bool{}
	count := map[rune]int{}
	for range codes {
		code := crm.NewGiftCardCode()
		require.Regexp(t, form, code)
		require.False(t, seen[code], "%s was made before", code)
		seen[code] = true
		for _, r := range strings.ReplaceAll(code, "-", "") {
			count[r]++
		}
	}
	require.Len(t, count, 32)
	for r, n := range count { // the standard deviation is 70
		require.InDelta(t, codes*16/32, n, 560, "%c", r)
	}
}

func TestGiftCardLookup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issued := w.issue(t, crm.GiftCardIssue{Code: new("Look-Me-Up")})
	t.Run("by id and by code in any spelling", func(t *testing.T) {
		byID, err := w.store.GiftCard(w.admin(t), crm.GiftCardBy{ID: new(issued.Card.NodeID())})
		require.NoError(t, err)
		same(t, issued.Card, byID)
		byCode, err := w.store.GiftCard(w.admin(t), crm.GiftCardBy{Code: new(" look me-UP")})
		require.NoError(t, err)
		same(t, issued.Card, byCode)
	})
	t.Run("by code it needs a permission of its own", func(t *testing.T) {
		ctx, statements := crmtest.With(t, w.store, "demo", crm.GiftCardView)
		_, err := w.store.GiftCard(ctx, crm.GiftCardBy{Code: &issued.Code})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		require.Zero(t, statements.Count())
		_, err = w.store.GiftCard(ctx, crm.GiftCardBy{ID: new(issued.Card.NodeID())})
		require.NoError(t, err)
		ctx, _ = crmtest.With(t, w.store, "demo", crm.GiftCardLookup)
		_, err = w.store.GiftCard(ctx, crm.GiftCardBy{Code: &issued.Code})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		ctx, _ = crmtest.As(t, w.store, "demo", "viewer")
		_, err = w.store.GiftCard(ctx, crm.GiftCardBy{Code: &issued.Code})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err), "a viewer does not try codes")
	})
	t.Run("an unknown code, its hash and its mask find nothing", func(t *testing.T) {
		for _, code := range []string{"LOOK-ME-UQ", issued.Card.CodeHash, issued.Card.MaskedCode, "", "\x00", "\xff", strings.Repeat("A", 10_000)} {
			_, err := w.store.GiftCard(w.admin(t), crm.GiftCardBy{Code: &code})
			require.Equal(t, crm.NotFound, crm.CodeOf(err), "%q", code)
			require.NotContains(t, err.Error(), "LOOK")
		}
	})
	t.Run("a card of another tenant is not found", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		for _, by := range []crm.GiftCardBy{{ID: new(issued.Card.NodeID())}, {Code: &issued.Code}} {
			_, err := w.store.GiftCard(ctx, by)
			require.Equal(t, crm.NotFound, crm.CodeOf(err))
		}
	})
}

func TestGiftCardStatusFollowsTheTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expires := crmtest.Today().Add(time.Hour)
	issued := w.issue(t, crm.GiftCardIssue{ExpiresAt: &expires})
	status := func() crm.GiftCardStatus {
		ctx := w.admin(t)
		card, err := w.store.GiftCard(ctx, crm.GiftCardBy{ID: new(issued.Card.NodeID())})
		require.NoError(t, err)
		require.Equal(t, crm.GiftCardActive, card.StoredStatus)
		status, err := card.Status(ctx)
		require.NoError(t, err)
		return status
	}
	w.later(time.Hour - time.Microsecond)
	require.Equal(t, crm.GiftCardActive, status())
	w.later(time.Microsecond)
	require.Equal(t, crm.GiftCardExpired, status(), "from its expiry on, although nobody noticed it yet")
}

func TestGiftCardLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.person(t, "Owner")
	start := crmtest.Today()
	var cards []*crm.GiftCard
	for i := range 3 {
		w.later(time.Minute)
		cards = append(cards, w.issue(t, crm.GiftCardIssue{CustomerID: new(owner.NodeID()), ExpiresAt: new(start.AddDate(0, 0, 3-i))}).Card)
	}
	nodes := func(where crm.GiftCardWhere, orderBy ...*crm.Order[crm.GiftCardOrderField]) []string {
		page, err := w.store.GiftCards(w.admin(t), &where, orderBy, firstPage(t))
		require.NoError(t, err)
		var ids []string
		for _, g := range page.Nodes() {
			ids = append(ids, g.NodeID())
		}
		return ids
	}
	ids := func(order ...int) []string {
		var ids []string
		for _, i := range order {
			ids = append(ids, cards[i].NodeID())
		}
		return ids
	}
	mine := crm.GiftCardWhere{Customer: &crm.IDFilter{Eq: new(owner.NodeID())}}
	require.Equal(t, ids(0, 1, 2), nodes(mine))
	require.Equal(t, ids(2, 1, 0), nodes(mine, &crm.Order[crm.GiftCardOrderField]{Field: "CREATED_AT", Direction: crm.Desc}))
	require.Equal(t, ids(1, 2), nodes(crm.GiftCardWhere{CreatedAt: &crm.DateTimeFilter{Gte: new(start.Add(2 * time.Minute))}}))
	require.Equal(t, ids(1, 2), nodes(crm.GiftCardWhere{Customer: mine.Customer, ExpiresAt: &crm.DateTimeFilter{Lt: new(start.AddDate(0, 0, 3))}}))
	require.Equal(t, ids(1), nodes(crm.GiftCardWhere{ID: &crm.IDFilter{Eq: new(cards[1].NodeID())}}))
	t.Run("a customer's own, the newest first", func(t *testing.T) {
		page, err := crm.CustomerGiftCards.Load(w.admin(t), owner, firstPage(t))
		require.NoError(t, err)
		var got []string
		for _, g := range page.Nodes() {
			got = append(got, g.NodeID())
		}
		require.Equal(t, ids(2, 1, 0), got)
	})
	t.Run("the entries of one that match, the newest first", func(t *testing.T) {
		issued := w.issue(t, crm.GiftCardIssue{OrderRef: new("O-0")})
		for _, order := range []string{"O-1", "O-2", "O-1"} {
			_, err := w.redeem(t, issued.Code, order, "1")
			require.NoError(t, err)
		}
		card, err := w.store.GiftCard(w.admin(t), crm.GiftCardBy{Code: &issued.Code})
		require.NoError(t, err)
		entries := func(where *crm.GiftCardTransactionWhere) []int64 {
			edge, err := crm.GiftCardLedger.Where(w.admin(t), where)
			require.NoError(t, err)
			page, err := edge.Load(w.admin(t), card, firstPage(t))
			require.NoError(t, err)
			var sequences []int64
			for _, x := range page.Nodes() {
				sequences = append(sequences, x.Sequence)
			}
			return sequences
		}
		kind := crm.GiftCardEntryRedeem
		require.Equal(t, []int64{4, 3, 2, 1}, entries(nil))
		require.Equal(t, []int64{4, 3, 2}, entries(&crm.GiftCardTransactionWhere{Type: &crm.EnumFilter[crm.GiftCardTransactionType]{Eq: &kind}}))
		require.Equal(t, []int64{4, 2}, entries(&crm.GiftCardTransactionWhere{OrderRef: &crm.StringFilter{Eq: new("O-1")}}))
	})
}
