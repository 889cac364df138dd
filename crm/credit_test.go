package crm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// G3N G9 to G15, one after the other.
func TestCredit_AsTheContractTellsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{
		LegalName: "Baltic Outfitters", AccountCode: new("BALTIC"), CreditLimit: new(money(t, "5000.00 USD")),
	}, crm.Write{Audit: &crm.Audit{Reason: new("wholesale onboarding")}})
	require.NoError(t, err)
	id := accountOf(made.Party.ID)

	t.Run("G9: a new account owes nothing, in the currency of its limit", func(t *testing.T) {
		account := w.account(t, id)
		require.EqualValues(t, 1, account.Revision)
		require.Equal(t, &crm.AccountCredit{
			Limit: &crm.Money{Minor: 500_000, Currency: "USD"}, Used: &crm.Money{Currency: "USD"}, Available: &crm.Money{Minor: 500_000, Currency: "USD"},
		}, account.Credit())
		require.Equal(t, []string{"1 LIMIT_CHANGE 0 0/500000 USD"}, w.debts(t, id))
		require.Equal(t, []string{"PARTY_CREATED"}, w.events(t, id))
	})
	t.Run("G10: buying on credit", func(t *testing.T) {
		m, err := w.store.ConsumeCredit(crm.WithCorrelationID(w.admin(t), "gx-10"), id,
			crm.CreditMove{Amount: money(t, "3200.00 USD"), OrderRef: new(" SO-9001 ")},
			crm.Write{IfRevision: new(int64(1)), Audit: &crm.Audit{Reason: new("order"), SourceRefs: []*crm.SourceRef{{Kind: "order", ID: "SO-9001"}}}})
		require.NoError(t, err)
		require.Equal(t, &crm.Money{Minor: 320_000, Currency: "USD"}, m.Account.Credit().Used)
		require.Equal(t, &crm.Money{Minor: 180_000, Currency: "USD"}, m.Account.Credit().Available)
		same(t, &crm.CreditTransaction{
			Row: m.Transaction.Row, AccountID: made.Party.ID, Sequence: 2, Type: crm.CreditConsume, Currency: "USD", AmountMinor: 320_000, UsedAfterMinor: 320_000,
			CreditLimitMinor: new(int64(500_000)), OrderRef: new("SO-9001"), Actor: "test", Reason: new("order"),
			SourceRefs: []*crm.SourceRef{{Kind: "order", ID: "SO-9001"}}, CreatedAt: crmtest.Today(),
		}, m.Transaction)
		stored, err := w.store.NodeByID(w.admin(t), m.Transaction.NodeID())
		require.NoError(t, err)
		same(t, m.Transaction, stored.(*crm.CreditTransaction))
		same(t, w.account(t, id), m.Account)
		require.Equal(t, []int64{2, 2}, w.revisions(t, made.Party.ID), "of the party and of the account")
		require.Equal(t, []string{`CREDIT_CONSUMED Account 1 2 {creditUsed} order gx-10 {"transaction": "` + m.Transaction.NodeID() + `"}`}, ask[string](t, w,
			`SELECT concat_ws(' ', type, record_type, revision_before, revision_after, changed_fields, reason, correlation_id, details)
			FROM event WHERE type = 'CREDIT_CONSUMED'`))
	})
	t.Run("G11: a revision that is past", func(t *testing.T) {
		before := w.rows(t)
		_, err := w.consume(t, id, "3200.00 USD", at(1))
		e := refused(t, err, crm.Stale, "", "ifRevision")
		require.EqualValues(t, 2, e.Current.(*crm.Account).Revision)
		require.Equal(t, before, w.rows(t))
	})
	t.Run("G13: what is available may be used up, and not be passed", func(t *testing.T) {
		before := w.rows(t)
		_, err := w.consume(t, id, "1800.01 USD", at(2))
		require.Equal(t, "1800.01 USD requested, 1800.00 USD available", refused(t, err, crm.Conflict, crm.CreditLimitExceeded, "input.amount").Message)
		require.Equal(t, before, w.rows(t))
		m, err := w.consume(t, id, "1800.00 USD", at(2))
		require.NoError(t, err)
		require.Equal(t, &crm.Money{Currency: "USD"}, m.Account.Credit().Available)
		_, err = w.consume(t, id, "0.01 USD", at(3))
		require.Equal(t, "0.01 USD requested, 0.00 USD available", refused(t, err, crm.Conflict, crm.CreditLimitExceeded, "input.amount").Message)
	})
	t.Run("G14: nothing is bought on hold", func(t *testing.T) {
		account, err := w.store.UpdateCredit(w.admin(t), id, crm.CreditUpdate{Hold: given(true)}, at(3))
		require.NoError(t, err)
		require.True(t, account.Credit().Hold)
		_, err = w.consume(t, id, "0.01 USD", at(4))
		require.Equal(t, "the credit of the account is on hold", refused(t, err, crm.Conflict, crm.CreditHeld, "id").Message)
	})
	t.Run("G15: releasing stops at nothing", func(t *testing.T) {
		m, err := w.release(t, id, "9999.99 USD", crm.Write{})
		require.NoError(t, err)
		require.Equal(t, &crm.Money{Currency: "USD"}, m.Account.Credit().Used)
		require.Equal(t, &crm.Money{Minor: -500_000, Currency: "USD"}, m.Transaction.Amount(), "what was really released")
		require.Equal(t, []string{
			"1 LIMIT_CHANGE 0 0/500000 USD", "2 CONSUME 320000 320000/500000 USD", "3 CONSUME 180000 500000/500000 USD", "5 RELEASE -500000 0/500000 USD",
		}, w.debts(t, id), "the hold made no entry, but a revision")
		require.Equal(t, []string{"PARTY_CREATED", "CREDIT_CONSUMED", "CREDIT_CONSUMED", "CREDIT_CHANGED", "CREDIT_RELEASED"}, w.events(t, id))
	})
	w.sound(t)
}

func TestConsumeCredit_RefusalsInTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refuse := func(t *testing.T, id, amount string, write crm.Write, code crm.Code, reason crm.Reason, field, message string) {
		t.Helper()
		before := w.rows(t)
		_, err := w.consume(t, id, amount, write)
		require.Equal(t, message, refused(t, err, code, reason, field).Message)
		require.Equal(t, before, w.rows(t))
	}
	t.Run("the revision, then the hold, then the currency, then the limit", func(t *testing.T) {
		id := w.debtor(t, "Ordered AG", "10.00 EUR").NodeID()
		w.held(t, id)
		refuse(t, id, "10.01 USD", at(2), crm.Stale, "", "ifRevision", "the record has changed: it is at 3 now, not at 2")
		refuse(t, id, "10.01 USD", at(3), crm.Conflict, crm.CreditHeld, "id", "the credit of the account is on hold")
		_, err := w.store.UpdateCredit(w.admin(t), id, crm.CreditUpdate{Hold: given(false)}, crm.Write{})
		require.NoError(t, err)
		refuse(t, id, "10.01 USD", at(4), crm.Conflict, crm.CurrencyMismatch, "input.amount.currency", "the account is in EUR, not in USD")
		refuse(t, id, "10.01 EUR", at(4), crm.Conflict, crm.CreditLimitExceeded, "input.amount", "10.01 EUR requested, 10.00 EUR available")
	})
	t.Run("an account that is not ACTIVE", func(t *testing.T) {
		id := w.debtor(t, "Idle AG", "10.00 EUR").NodeID()
		for revision, status := range []crm.AccountStatus{crm.AccountInactive, crm.AccountDoomed} {
			_, err := w.store.ChangeAccountStatus(w.admin(t), id, status, crm.Write{})
			require.NoError(t, err)
			refuse(t, id, "99.00 USD", at(int64(revision)+3), crm.Conflict, crm.CreditHeld, "id", "the account is "+string(status)+", not ACTIVE")
		}
	})
	t.Run("no limit is a limit of nothing, with and without a currency", func(t *testing.T) {
		id := accountOf(w.firm(t, "Cash AG").ID)
		refuse(t, id, "0.01 EUR", at(1), crm.Conflict, crm.CreditLimitExceeded, "input.amount", "0.01 EUR requested, 0.00 EUR available")
		w.limited(t, id, "10.00 EUR")
		_, err := w.store.UpdateCredit(w.admin(t), id, crm.CreditUpdate{Limit: cleared[crm.MoneyInput]()}, at(2))
		require.NoError(t, err)
		refuse(t, id, "0.01 EUR", at(3), crm.Conflict, crm.CreditLimitExceeded, "input.amount", "0.01 EUR requested, 0.00 EUR available")
		refuse(t, id, "0.01 USD", at(3), crm.Conflict, crm.CurrencyMismatch, "input.amount.currency", "the account is in EUR, not in USD")
		w.limited(t, id, "0.00 EUR")
		refuse(t, id, "0.01 EUR", at(4), crm.Conflict, crm.CreditLimitExceeded, "input.amount", "0.01 EUR requested, 0.00 EUR available")
	})
	t.Run("an account that owes more than its limit", func(t *testing.T) {
		id := w.debtor(t, "Over AG", "10.00 EUR").NodeID()
		w.bought(t, id, "10.00 EUR")
		account := w.limited(t, id, "4.00 EUR")
		require.Equal(t, &crm.Money{Currency: "EUR"}, account.Credit().Available, "not below zero")
		refuse(t, id, "0.01 EUR", at(4), crm.Conflict, crm.CreditLimitExceeded, "input.amount", "0.01 EUR requested, 0.00 EUR available")
		_, err := w.release(t, id, "6.01 EUR", crm.Write{})
		require.NoError(t, err)
		w.bought(t, id, "0.01 EUR")
	})
	t.Run("a party that is closed to changes, whatever the revision", func(t *testing.T) {
		kept, merged, gone, faceless := w.firm(t, "Kept AG"), w.firm(t, "Merged AG"), w.firm(t, "Gone AG"), w.firm(t, "Faceless AG")
		w.merge(t, kept, merged)
		_, err := w.store.DeactivateParty(w.admin(t), partyOf(gone), crm.Write{})
		require.NoError(t, err)
		_, err = w.store.AnonymizeCustomer(w.admin(t), faceless.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = w.consume(t, accountOf(merged.ID), "1.00 EUR", at(99))
		require.Equal(t, partyOf(kept), refused(t, err, crm.Conflict, crm.MergedParty, "id").Related)
		for _, x := range []*crm.Customer{gone, faceless} {
			_, err = w.consume(t, accountOf(x.ID), "1.00 EUR", at(99))
			refused(t, err, crm.Conflict, crm.InvalidState, "id")
		}
	})
	t.Run("an account that is not there, another tenant's, and a party without one", func(t *testing.T) {
		theirs := accountOf(askOne[[16]byte](t, w, "SELECT id FROM account WHERE NOT "+inDemo+" LIMIT 1"))
		for _, id := range []string{"acc_" + nobody, theirs, accountOf(w.person(t, "Private").ID)} {
			for _, move := range []func() error{
				func() error { _, err := w.consume(t, id, "1.00 EUR", crm.Write{}); return err },
				func() error { _, err := w.release(t, id, "1.00 EUR", crm.Write{}); return err },
				func() error {
					_, err := w.store.UpdateCredit(w.admin(t), id, crm.CreditUpdate{}, crm.Write{})
					return err
				},
				func() error {
					_, err := w.store.ChangeAccountStatus(w.admin(t), id, crm.AccountInactive, crm.Write{})
					return err
				},
			} {
				require.Equal(t, "no such Account", refused(t, move(), crm.NotFound, "", "id").Message)
			}
		}
	})
	w.sound(t)
}

func TestCredit_AllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, statements := crmtest.As(t, w.store, "demo", "admin")
	asked := statements.Count()
	wrong := crm.CreditMove{Amount: crm.MoneyInput{Amount: "-1", Currency: "eur"}, OrderRef: new(strings.Repeat("x", 129))}
	all := []string{"idempotencyKey", "id", "input.amount.currency", "input.amount.amount", "input.orderRef"}
	_, err := w.store.ConsumeCredit(ctx, "pty_1", wrong, keyed(""))
	require.Equal(t, all, fields(t, err))
	_, err = w.store.ReleaseCredit(ctx, "pty_1", wrong, keyed(""))
	require.Equal(t, all, fields(t, err))
	_, err = w.store.UpdateCredit(ctx, "pty_1", crm.CreditUpdate{Limit: given(crm.MoneyInput{Amount: "1e3", Currency: "EUR"}), Hold: cleared[bool]()}, at(-1))
	require.Equal(t, []string{"ifRevision", "id", "input.limit.amount", "input.hold"}, fields(t, err))
	_, err = w.store.ChangeAccountStatus(ctx, "x", "GONE", crm.Write{})
	require.Equal(t, []string{"id", "status"}, fields(t, err))
	_, err = w.store.CreateOrganization(ctx, crm.OrganizationCreate{CreditLimit: &crm.MoneyInput{Amount: "0.001", Currency: "EUR"}}, crm.Write{})
	require.Equal(t, []string{"input.legalName", "input.creditLimit.amount"}, fields(t, err))
	require.Equal(t, asked, statements.Count(), "the database is not asked")
}

func TestReleaseCredit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owing := func(t *testing.T, name string) (*crm.Customer, string) {
		t.Helper()
		firm := w.firm(t, name)
		w.limited(t, accountOf(firm.ID), "100.00 EUR")
		w.bought(t, accountOf(firm.ID), "60.00 EUR")
		return firm, accountOf(firm.ID)
	}
	releases := func(t *testing.T, id string) {
		t.Helper()
		m, err := w.release(t, id, "20.00 EUR", crm.Write{})
		require.NoError(t, err)
		require.Equal(t, &crm.Money{Minor: 4_000, Currency: "EUR"}, m.Account.Credit().Used)
	}
	t.Run("without a key each call releases, and writes an entry also for nothing", func(t *testing.T) {
		_, id := owing(t, "Twice AG")
		for range 3 {
			_, err := w.store.ReleaseCredit(w.admin(t), id, crm.CreditMove{Amount: money(t, "40.00 EUR"), OrderRef: new("SO-1")}, crm.Write{})
			require.NoError(t, err)
		}
		require.Equal(t, []string{"4 RELEASE -4000 2000/10000 EUR", "5 RELEASE -2000 0/10000 EUR", "6 RELEASE 0 0/10000 EUR"}, w.debts(t, id)[2:])
		require.Equal(t, []int64{6, 6, 6}, w.revisions(t, w.account(t, id).ID))
	})
	t.Run("no revision is looked at", func(t *testing.T) {
		_, id := owing(t, "Blind AG")
		_, err := w.release(t, id, "1.00 EUR", at(1))
		require.NoError(t, err)
	})
	t.Run("on hold, INACTIVE and DOOMED", func(t *testing.T) {
		_, id := owing(t, "Held AG")
		w.held(t, id)
		releases(t, id)
		_, id = owing(t, "Inactive AG")
		_, err := w.store.ChangeAccountStatus(w.admin(t), id, crm.AccountInactive, crm.Write{})
		require.NoError(t, err)
		releases(t, id)
		_, id = owing(t, "Doomed AG")
		w.do(t, "UPDATE account SET status = 'DOOMED' WHERE id = substr($1, 5)::uuid", id)
		releases(t, id)
	})
	t.Run("of parties deactivated and anonymised", func(t *testing.T) {
		firm, id := owing(t, "Closed AG")
		_, err := w.store.DeactivateParty(w.admin(t), partyOf(firm), crm.Write{})
		require.NoError(t, err)
		releases(t, id)
		firm, id = owing(t, "Nameless AG")
		_, err = w.store.AnonymizeCustomer(w.admin(t), firm.NodeID(), crm.Write{})
		require.NoError(t, err)
		releases(t, id)
	})
	t.Run("not of a merged party, whose debt is the survivor's", func(t *testing.T) {
		loser, id := owing(t, "Ended AG")
		survivor := w.firm(t, "Survivor AG")
		w.merge(t, survivor, loser)
		_, err := w.release(t, id, "1.00 EUR", crm.Write{})
		require.Equal(t, partyOf(survivor), refused(t, err, crm.Conflict, crm.MergedParty, "id").Related)
		releases(t, accountOf(survivor.ID))
	})
	t.Run("not in another currency", func(t *testing.T) {
		_, id := owing(t, "Euro AG")
		before := w.rows(t)
		_, err := w.release(t, id, "1.00 USD", crm.Write{})
		require.Equal(t, "the account is in EUR, not in USD", refused(t, err, crm.Conflict, crm.CurrencyMismatch, "input.amount.currency").Message)
		require.Equal(t, before, w.rows(t))
	})
	t.Run("an account without a currency owes nothing, of which nothing is released, and stays without one", func(t *testing.T) {
		id := accountOf(w.firm(t, "Fresh AG").ID)
		m, err := w.release(t, id, "1.00 EUR", crm.Write{})
		require.NoError(t, err)
		require.Nil(t, m.Account.Credit().Used)
		require.Equal(t, []string{"2 RELEASE 0 0/- EUR"}, w.debts(t, id))
	})
	w.sound(t)
}

func TestUpdateCredit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	update := func(id string, in crm.CreditUpdate, revision int64) (*crm.Account, error) {
		return w.store.UpdateCredit(w.admin(t), id, in, at(revision))
	}
	limit := func(text string) crm.CreditUpdate { return crm.CreditUpdate{Limit: given(money(t, text))} }
	t.Run("each other limit is an entry; the same one, a hold and nothing are but revisions with an event", func(t *testing.T) {
		id := accountOf(w.firm(t, "Limits AG").ID)
		none := crm.CreditUpdate{Limit: cleared[crm.MoneyInput]()}
		for i, in := range []crm.CreditUpdate{limit("10.00 EUR"), limit("10.0 EUR"), {}, {Hold: given(true)}, limit("20 USD"), none, none} {
			account, err := update(id, in, int64(i)+1)
			require.NoError(t, err)
			same(t, w.account(t, id), account)
		}
		require.Equal(t, []string{"2 LIMIT_CHANGE 0 0/1000 EUR", "6 LIMIT_CHANGE 0 0/2000 USD", "7 LIMIT_CHANGE 0 0/- USD"}, w.debts(t, id))
		require.Equal(t, []string{
			"2 {creditLimit,currency} t", "3 {} f", "4 {} f", "5 {creditHold} f", "6 {creditLimit,currency} t", "7 {creditLimit} t", "8 {} f",
		}, ask[string](t, w, `SELECT concat_ws(' ', revision_after, changed_fields, details ? 'transaction') FROM event
			WHERE type = 'CREDIT_CHANGED' AND record_id = substr($1, 5)::uuid ORDER BY sequence`, id))
		account := w.account(t, id)
		require.Equal(t, &crm.AccountCredit{Used: &crm.Money{Currency: "USD"}, Hold: true}, account.Credit(), "the currency is kept")
	})
	t.Run("limit and hold together", func(t *testing.T) {
		in := limit("5 JPY")
		in.Hold = given(true)
		account, err := update(accountOf(w.firm(t, "Both AG").ID), in, 1)
		require.NoError(t, err)
		require.Equal(t, "5 JPY", account.Credit().Limit.String())
		require.True(t, account.CreditHold)
	})
	t.Run("below what is owed", func(t *testing.T) {
		id := w.debtor(t, "Lowered AG", "100.00 EUR").NodeID()
		w.bought(t, id, "80.00 EUR")
		account, err := update(id, limit("50.00 EUR"), 3)
		require.NoError(t, err)
		require.Equal(t, "80.00 EUR", account.Credit().Used.String())
		_, err = update(id, crm.CreditUpdate{Limit: cleared[crm.MoneyInput]()}, 4)
		require.NoError(t, err)
		require.Equal(t, []string{"4 LIMIT_CHANGE 0 8000/5000 EUR", "5 LIMIT_CHANGE 0 8000/- EUR"}, w.debts(t, id)[2:])
	})
	t.Run("not in another currency while something is owed, also without a limit", func(t *testing.T) {
		id := w.debtor(t, "Owing AG", "100.00 EUR").NodeID()
		w.bought(t, id, "80.00 EUR")
		for revision, first := range []crm.CreditUpdate{{}, {Limit: cleared[crm.MoneyInput]()}} {
			_, err := update(id, first, int64(revision)+3)
			require.NoError(t, err)
			before := w.rows(t)
			_, err = update(id, limit("100.00 USD"), int64(revision)+4)
			require.Equal(t, "80.00 EUR are owed: until they are released the limit is in EUR",
				refused(t, err, crm.Conflict, crm.CurrencyMismatch, "input.limit.currency").Message)
			require.Equal(t, before, w.rows(t))
		}
		_, err := w.release(t, id, "80.00 EUR", crm.Write{})
		require.NoError(t, err)
		account, err := update(id, limit("100.00 USD"), 6)
		require.NoError(t, err)
		require.Equal(t, "0.00 USD", account.Credit().Used.String())
	})
	t.Run("only the revision that was seen, of a party that is open to changes", func(t *testing.T) {
		firm := w.firm(t, "Seen AG")
		_, err := update(accountOf(firm.ID), limit("1.00 EUR"), 2)
		require.IsType(t, &crm.Account{}, refused(t, err, crm.Stale, "", "ifRevision").Current)
		_, err = w.store.DeactivateParty(w.admin(t), partyOf(firm), crm.Write{})
		require.NoError(t, err)
		_, err = update(accountOf(firm.ID), limit("1.00 EUR"), 99)
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	w.sound(t)
}

func TestCredit_OfANewOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(ctx context.Context, in crm.OrganizationCreate) (*crm.OrganizationCreated, error) {
		return w.store.CreateOrganization(ctx, in, crm.Write{})
	}
	t.Run("without a limit it has neither currency nor entry", func(t *testing.T) {
		made, err := create(w.admin(t), crm.OrganizationCreate{LegalName: "Plain AG"})
		require.NoError(t, err)
		require.Equal(t, &crm.AccountCredit{}, w.account(t, accountOf(made.Party.ID)).Credit())
		require.Empty(t, w.debts(t, accountOf(made.Party.ID)))
	})
	t.Run("on hold from the start", func(t *testing.T) {
		made, err := create(w.admin(t), crm.OrganizationCreate{LegalName: "Suspect AG", CreditLimit: new(money(t, "1.00 EUR")), CreditHold: true})
		require.NoError(t, err)
		_, err = w.consume(t, accountOf(made.Party.ID), "1.00 EUR", at(1))
		refused(t, err, crm.Conflict, crm.CreditHeld, "id")
	})
	t.Run("who may make organisations may not give them credit", func(t *testing.T) {
		agent, _ := crmtest.As(t, w.store, "demo", "agent")
		for _, in := range []crm.OrganizationCreate{{CreditLimit: new(money(t, "1.00 EUR"))}, {CreditHold: true}} {
			in.LegalName = "Generous AG"
			_, err := create(agent, in)
			refused(t, err, crm.Forbidden, "", "")
		}
		_, err := create(agent, crm.OrganizationCreate{LegalName: "Generous AG"})
		require.NoError(t, err)
	})
}

// An agent moves credit and does not say how much there is; a viewer reads.
func TestCredit_Permissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.debtor(t, "Guarded AG", "10.00 EUR").NodeID()
	before := w.rows(t)
	role := func(name string) context.Context {
		ctx, _ := crmtest.As(t, w.store, "demo", name)
		return ctx
	}
	one := crm.CreditMove{Amount: money(t, "1.00 EUR")}
	for _, id := range []string{id, "acc_" + nobody, "nonsense"} {
		_, err := w.store.ConsumeCredit(role("viewer"), id, one, keyed("k"))
		refused(t, err, crm.Forbidden, "", "")
		_, err = w.store.ReleaseCredit(role("viewer"), id, one, keyed("k"))
		refused(t, err, crm.Forbidden, "", "")
		_, err = w.store.ChangeAccountStatus(role("viewer"), id, crm.AccountInactive, keyed("k"))
		refused(t, err, crm.Forbidden, "", "")
		_, err = w.store.UpdateCredit(role("agent"), id, crm.CreditUpdate{}, keyed("k"))
		refused(t, err, crm.Forbidden, "", "")
	}
	require.Equal(t, before, w.rows(t))
	_, err := w.store.ConsumeCredit(role("agent"), id, one, crm.Write{})
	require.NoError(t, err)
	_, err = w.store.ReleaseCredit(role("agent"), id, one, crm.Write{})
	require.NoError(t, err)
	account := w.account(t, id)
	page, err := crm.AccountCreditTransactions.Load(role("viewer"), account, firstPage(t))
	require.NoError(t, err)
	require.Len(t, page.Nodes(), 3)
	blind, _ := crmtest.With(t, w.store, "demo", crm.PartyView)
	_, err = crm.AccountCreditTransactions.Load(blind, account, firstPage(t))
	refused(t, err, crm.Forbidden, "", "")
}

// The newest come first, and can be narrowed.
func TestCreditTransactions_Filtered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account := w.debtor(t, "Filtered AG", "100.00 EUR")
	for _, order := range []string{"SO-1", "SO-2", "SO-1"} {
		w.later(time.Second)
		_, err := w.store.ConsumeCredit(w.admin(t), account.NodeID(), crm.CreditMove{Amount: money(t, "1.00 EUR"), OrderRef: &order}, crm.Write{})
		require.NoError(t, err)
	}
	sequences := func(where crm.CreditTransactionWhere) (list []int64) {
		edge, err := crm.AccountCreditTransactions.Where(w.admin(t), &where)
		require.NoError(t, err)
		page, err := edge.Load(w.admin(t), account, firstPage(t))
		require.NoError(t, err)
		for _, x := range page.Nodes() {
			list = append(list, x.Sequence)
		}
		return list
	}
	require.Equal(t, []int64{5, 4, 3, 2}, sequences(crm.CreditTransactionWhere{}))
	require.Equal(t, []int64{2}, sequences(crm.CreditTransactionWhere{Type: &crm.EnumFilter[crm.CreditTransactionType]{Eq: new(crm.CreditLimitChange)}}))
	require.Equal(t, []int64{5, 3}, sequences(crm.CreditTransactionWhere{OrderRef: &crm.StringFilter{Eq: new("SO-1")}}))
	require.Equal(t, []int64{5, 4}, sequences(crm.CreditTransactionWhere{CreatedAt: &crm.DateTimeFilter{Gte: new(crmtest.Today().Add(2 * time.Second))}}))
	require.Equal(t, []int64{5}, sequences(crm.CreditTransactionWhere{
		OrderRef: &crm.StringFilter{Eq: new("SO-1")}, Not: &crm.CreditTransactionWhere{CreatedAt: &crm.DateTimeFilter{Lt: new(crmtest.Today().Add(3 * time.Second))}},
	}))
}

// Buying and releasing are for tills: the statements travel in two batches, with a key or without.
func TestCredit_TwoRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.debtor(t, "Quick AG", "100.00 EUR").NodeID()
	move := crm.CreditMove{Amount: money(t, "1.00 EUR")}
	for name, act := range map[string]func(context.Context, crm.Write) error{
		"consume": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.ConsumeCredit(ctx, id, move, write)
			return err
		},
		"release": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.ReleaseCredit(ctx, id, move, write)
			return err
		},
	} {
		for _, write := range []crm.Write{{}, keyed(name), keyed(name)} {
			ctx, statements := crmtest.As(t, w.store, "demo", "admin")
			before := statements.RoundTrips()
			require.NoError(t, act(ctx, write))
			require.Equal(t, 2, statements.RoundTrips()-before, name)
		}
	}
	require.Len(t, w.debts(t, id), 1+4)
}

// What the program believes does not matter: the database keeps the limit, the floor and the past.
func TestCredit_TheLastWall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.debtor(t, "Walled AG", "1.00 EUR").NodeID()
	entry := func(kind string, amount, used int, limit any) error {
		_, err := w.sql.Exec(t.Context(), `INSERT INTO credit_transaction (tenant_id, id, account_id, type, currency, amount, used_after, credit_limit, actor, sequence, created_at)
			SELECT tenant_id, gen_random_uuid(), id, $2, 'EUR', $3, $4, $5, 'x', 99, now() FROM account WHERE id = substr($1, 5)::uuid`, id, kind, amount, used, limit)
		return err
	}
	for name, c := range map[string]struct {
		err  error
		wall string
	}{
		"beyond the limit":      {entry("CONSUME", 101, 101, 100), "credit_transaction_limit_check"},
		"without a limit":       {entry("CONSUME", 1, 1, nil), "credit_transaction_limit_check"},
		"less than nothing":     {entry("RELEASE", -1, -1, 100), "credit_transaction_used_check"},
		"buying a negative":     {entry("CONSUME", -1, 0, 100), "credit_transaction_sign_check"},
		"releasing a positive":  {entry("RELEASE", 1, 1, 100), "credit_transaction_sign_check"},
		"a limit that moves":    {entry("LIMIT_CHANGE", 1, 1, 100), "credit_transaction_sign_check"},
		"a word that is no one": {entry("GIFT", 0, 0, 100), "credit_transaction_type_check"},
	} {
		wall, _ := db.Violated(c.err)
		require.Equal(t, c.wall, wall, name)
	}
	_, err := w.sql.Exec(t.Context(), "UPDATE account SET credit_used = -1 WHERE id = substr($1, 5)::uuid", id)
	wall, _ := db.Violated(err)
	require.Equal(t, "account_used_check", wall)
	tenant, err := w.store.TenantByCode(t.Context(), "demo")
	require.NoError(t, err)
	for _, sql := range []string{"UPDATE credit_transaction SET amount = 0 RETURNING 1", "DELETE FROM credit_transaction RETURNING 1"} {
		err := w.store.DB.Query(db.WithTenant(t.Context(), tenant), sql, nil, func(rows pgx.Rows) error {
			for rows.Next() {
			}
			return rows.Err()
		})
		require.ErrorContains(t, err, "permission denied", sql)
	}
}
