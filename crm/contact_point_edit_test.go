package crm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// reach is how a party is reached, primary points marked, and what leads to it.
func (d *frontDesk) reach(t *testing.T, p *crm.Party) string {
	t.Helper()
	return askDemo[string](t, d.world, `SELECT concat_ws(' | ',
		(SELECT string_agg(value || CASE WHEN is_primary THEN '!' ELSE '' END, ' ' ORDER BY id) FROM contact_point WHERE tenant_id = $1 AND party_id = $2),
		(SELECT string_agg(value || CASE WHEN is_claim THEN '*' ELSE '' END || CASE WHEN is_alias THEN '?' ELSE '' END, ' ' ORDER BY kind, value)
			FROM identifier WHERE tenant_id = $1 AND party_id = $2 AND kind IN ('EMAIL', 'PHONE')))`, p.ID)
}

func (d *frontDesk) point(t *testing.T, p *crm.Party, value string) string {
	t.Helper()
	return crm.ContactPoints.GlobalID(askDemo[[16]byte](t, d.world, "SELECT id FROM contact_point WHERE tenant_id = $1 AND party_id = $2 AND value = $3", p.ID, value))
}

func (d *frontDesk) addPoint(t *testing.T, p *crm.Party, in crm.NewContactPoint, w crm.Write) (*crm.ContactPointChange, error) {
	t.Helper()
	return d.store.AddContactPoint(d.admin(t), p.NodeID(), in, w)
}

func (d *frontDesk) changePoint(t *testing.T, id string, in crm.ContactPointUpdate, w crm.Write) (*crm.ContactPointChange, error) {
	t.Helper()
	return d.store.UpdateContactPoint(d.admin(t), id, in, w)
}

// buyers are some parties that buy, of the tenant's seed.
func (d *frontDesk) buyers(t *testing.T, n int) []*crm.Party {
	t.Helper()
	list := d.customers(t, crm.CustomerActive)
	require.GreaterOrEqual(t, len(list), n)
	parties := make([]*crm.Party, n)
	for i := range parties {
		parties[i] = d.find(t, partyOf(list[i]))
	}
	return parties
}

func email(value string) crm.NewContactPoint {
	return crm.NewContactPoint{Kind: crm.PointEmail, Value: value}
}

func primary(in crm.NewContactPoint) crm.NewContactPoint {
	in.IsPrimary = new(true)
	return in
}

func TestContactPointAdd(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	p := d.individual(t, "Reachable")
	phone := func(value string) crm.NewContactPoint {
		return crm.NewContactPoint{Kind: crm.PointPhone, Value: value}
	}
	t.Run("the first of its kind becomes the primary one and leads to the party", func(t *testing.T) {
		got, err := d.addPoint(t, p, email(" Anna@Reach.example "), at(1))
		require.NoError(t, err)
		require.True(t, got.Point.IsPrimary)
		require.Equal(t, crm.PointOther, got.Point.Label)
		require.EqualValues(t, 2, got.Party.Revision)
		require.Equal(t, "Anna@Reach.example! | Anna@Reach.example", d.reach(t, p))
	})
	t.Run("further ones do not, unless they are said to", func(t *testing.T) {
		_, err := d.addPoint(t, p, email("b@reach.example"), at(2))
		require.NoError(t, err)
		require.Equal(t, "Anna@Reach.example! b@reach.example | Anna@Reach.example", d.reach(t, p))
		_, err = d.addPoint(t, p, primary(email("c@reach.example")), at(3))
		require.NoError(t, err)
		require.Equal(t, "Anna@Reach.example b@reach.example c@reach.example! | c@reach.example", d.reach(t, p))
	})
	t.Run("the kinds do not get in each other's way", func(t *testing.T) {
		in := phone("+49 (30) 1234-5678")
		in.Label, in.Extension = new(crm.PointWork), new("042")
		got, err := d.addPoint(t, p, in, at(4))
		require.NoError(t, err)
		require.Equal(t, "493012345678", got.Point.Normalised)
		require.Contains(t, d.reach(t, p), "c@reach.example! +49 (30) 1234-5678! |")
	})
	t.Run("the first of its kind can be said not to be primary", func(t *testing.T) {
		shy := d.individual(t, "Shy")
		in := email("shy@reach.example")
		in.IsPrimary = new(false)
		_, err := d.addPoint(t, shy, in, at(1))
		require.NoError(t, err)
		require.Equal(t, "shy@reach.example", d.reach(t, shy))
	})
	t.Run("values and extensions are checked by their kind", func(t *testing.T) {
		for _, c := range []struct {
			in   crm.NewContactPoint
			want string
		}{
			{email("no-at.example"), "input.value"}, {email("a b@c.d"), "input.value"}, {email(" "), "input.value"},
			{email(strings.Repeat("a", 250) + "@b.cd"), "input.value"},
			{phone("123456789"), "input.value"}, {phone("1234567890123456"), "input.value"}, {phone("0800-FLOWERS1"), "input.value"},
			{crm.NewContactPoint{Kind: "FAX", Value: "a@b.cd"}, "input.kind"},
			{crm.NewContactPoint{Kind: crm.PointPhone, Value: "1234567890", Extension: new("12a")}, "input.extension"},
			{crm.NewContactPoint{Kind: crm.PointPhone, Value: "1234567890", Extension: new("12345678901")}, "input.extension"},
			{crm.NewContactPoint{Kind: crm.PointEmail, Value: "a@b.cd", Extension: new("1")}, "input.extension"},
			{crm.NewContactPoint{Kind: crm.PointEmail, Value: "a@b.cd", Label: new(crm.ContactPointLabel("BOAT"))}, "input.label"},
		} {
			_, err := d.addPoint(t, p, c.in, crm.Write{})
			require.Contains(t, refusals(err), "INVALID  "+c.want, "%+v", c.in)
		}
		for _, number := range []string{"1234567890", "123456789012345"} {
			_, err := d.addPoint(t, p, phone(number), crm.Write{})
			require.NoError(t, err)
		}
	})
	t.Run("a party has at most 50", func(t *testing.T) {
		full := d.individual(t, "Full")
		for i := range 50 {
			_, err := d.addPoint(t, full, email(fmt.Sprintf("f%d@reach.example", i)), crm.Write{})
			require.NoError(t, err)
		}
		_, err := d.addPoint(t, full, email("one@too.many"), crm.Write{})
		require.Equal(t, []string{"INVALID  input"}, refusals(err))
	})
	t.Run("the party's revision is the one that counts", func(t *testing.T) {
		_, err := d.addPoint(t, p, email("late@reach.example"), at(1))
		require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
	})
	t.Run("customer and account move along", func(t *testing.T) {
		firm := d.organization(t, "Reach Ltd")
		_, err := d.addPoint(t, firm, email("firm@reach.example"), at(1))
		require.NoError(t, err)
		require.Equal(t, 2, askDemo[int](t, d.world, "SELECT revision::int FROM account WHERE tenant_id = $1 AND id = $2", firm.ID))
	})
}

func TestContactPointChange(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	firm := d.organization(t, "Signal Ltd")
	t.Run("a primary one that changes leads to the party anew", func(t *testing.T) {
		p := d.individual(t, "Moves", "old@signal.example")
		got, err := d.changePoint(t, d.point(t, p, "old@signal.example"), crm.ContactPointUpdate{Value: graphql.OmittableOf(new("new@signal.example")), Label: graphql.OmittableOf(new(crm.PointWork))}, at(1))
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Point.Revision)
		require.EqualValues(t, 2, got.Party.Revision)
		require.Equal(t, "new@signal.example! | new@signal.example", d.reach(t, p))
	})
	t.Run("another one that becomes primary takes its place", func(t *testing.T) {
		p := d.individual(t, "Switches", "a@signal.example")
		_, err := d.addPoint(t, p, email("b@signal.example"), crm.Write{})
		require.NoError(t, err)
		_, err = d.changePoint(t, d.point(t, p, "b@signal.example"), crm.ContactPointUpdate{IsPrimary: graphql.OmittableOf(new(true))}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, "a@signal.example b@signal.example! | b@signal.example", d.reach(t, p))
	})
	t.Run("one that is primary no more, or is removed, leaves none", func(t *testing.T) {
		p := d.individual(t, "Steps back", "x@signal.example")
		_, err := d.addPoint(t, p, email("y@signal.example"), crm.Write{})
		require.NoError(t, err)
		_, err = d.changePoint(t, d.point(t, p, "x@signal.example"), crm.ContactPointUpdate{IsPrimary: graphql.OmittableOf(new(false))}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, "x@signal.example y@signal.example", d.reach(t, p))
		_, err = d.changePoint(t, d.point(t, p, "y@signal.example"), crm.ContactPointUpdate{IsPrimary: graphql.OmittableOf(new(true))}, crm.Write{})
		require.NoError(t, err)
		got, err := d.store.RemoveContactPoint(d.admin(t), d.point(t, p, "y@signal.example"), at(4))
		require.NoError(t, err)
		require.Nil(t, got.Point)
		require.EqualValues(t, 5, got.Party.Revision)
		require.Equal(t, "x@signal.example", d.reach(t, p))
	})
	t.Run("an e-mail address has no extension, and a telephone number its digits", func(t *testing.T) {
		p := d.individual(t, "Kinds", "kinds@signal.example")
		_, err := d.changePoint(t, d.point(t, p, "kinds@signal.example"), crm.ContactPointUpdate{Value: graphql.OmittableOf(new("1234567890")), Extension: graphql.OmittableOf(new("1"))}, crm.Write{})
		require.Equal(t, []string{"INVALID  input.value", "INVALID  input.extension"}, refusals(err))
		_, err = d.changePoint(t, d.point(t, p, "kinds@signal.example"), crm.ContactPointUpdate{Value: graphql.OmittableOf[*string](nil), IsPrimary: graphql.OmittableOf[*bool](nil)}, crm.Write{})
		require.Equal(t, []string{"INVALID  input.value", "INVALID  input.isPrimary"}, refusals(err))
	})
	t.Run("who gets bills by e-mail keeps a primary address", func(t *testing.T) {
		p := d.individual(t, "Billed", "billed@signal.example")
		d.engage(t, firm, p, holds("BILLING"))
		id := d.point(t, p, "billed@signal.example")
		_, err := d.store.RemoveContactPoint(d.admin(t), id, crm.Write{})
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED id"}, refusals(err))
		_, err = d.changePoint(t, id, crm.ContactPointUpdate{IsPrimary: graphql.OmittableOf(new(false))}, crm.Write{})
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED input.isPrimary"}, refusals(err))
		_, err = d.changePoint(t, id, crm.ContactPointUpdate{Value: graphql.OmittableOf(new("other@signal.example"))}, crm.Write{})
		require.NoError(t, err, "another address will do")
		require.Equal(t, "other@signal.example! | other@signal.example", d.reach(t, p))
	})
	t.Run("an alias that becomes the primary address becomes the party's own", func(t *testing.T) {
		p := d.individual(t, "Merged", "own@signal.example")
		d.do(t, `INSERT INTO identifier (tenant_id, id, party_id, kind, value, normalised, folded, is_alias)
			VALUES ((SELECT id FROM tenant WHERE code = 'demo'), gen_random_uuid(), $1, 'EMAIL', 'alias@signal.example', 'alias@signal.example', 'alias@signal.example', true),
			((SELECT id FROM tenant WHERE code = 'demo'), gen_random_uuid(), $1, 'EMAIL', 'more@signal.example', 'more@signal.example', 'more@signal.example', true)`, p.ID)
		_, err := d.changePoint(t, d.point(t, p, "own@signal.example"), crm.ContactPointUpdate{Value: graphql.OmittableOf(new("alias@signal.example"))}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, "alias@signal.example! | alias@signal.example more@signal.example?", d.reach(t, p))
	})
	t.Run("nobody's contact point is not found", func(t *testing.T) {
		_, err := d.changePoint(t, "cpt_00000000-0000-7000-8000-000000000000", crm.ContactPointUpdate{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
}

func TestContactPointClaims(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	buyers := d.buyers(t, 22)
	t.Run("one of many customers gets an address", func(t *testing.T) {
		errs := atOnce(len(buyers), func(i int) error {
			_, err := d.addPoint(t, buyers[i], primary(email([]string{"wanted@claims.example", "Wanted@Claims.example"}[i%2])), crm.Write{})
			return err
		})
		require.Equal(t, 1, successes(errs))
		for _, err := range errs {
			if err != nil {
				require.Equal(t, []string{"CONFLICT EMAIL_IN_USE input.value"}, refusals(err))
			}
		}
		require.Equal(t, 1, askDemo[int](t, d.world, "SELECT count(*) FROM identifier WHERE tenant_id = $1 AND normalised = 'wanted@claims.example' AND is_claim"))
		require.Equal(t, 1, askDemo[int](t, d.world, "SELECT count(*) FROM contact_point WHERE tenant_id = $1 AND normalised = 'wanted@claims.example'"), "nothing is half done")
	})
	first, second := buyers[0], buyers[1]
	t.Run("an address is free again when it is primary no more", func(t *testing.T) {
		_, err := d.addPoint(t, first, primary(email("mine@claims.example")), crm.Write{})
		require.NoError(t, err)
		require.Contains(t, d.reach(t, first), "mine@claims.example*")
		_, err = d.addPoint(t, second, primary(email("mine@claims.example")), crm.Write{})
		require.Equal(t, []string{"CONFLICT EMAIL_IN_USE input.value"}, refusals(err))
		_, err = d.addPoint(t, first, primary(email("next@claims.example")), crm.Write{})
		require.NoError(t, err)
		_, err = d.addPoint(t, second, primary(email("mine@claims.example")), crm.Write{})
		require.NoError(t, err)
	})
	t.Run("changing to a taken address is refused, another spelling of one's own is not", func(t *testing.T) {
		id := d.point(t, first, "next@claims.example")
		_, err := d.changePoint(t, id, crm.ContactPointUpdate{Value: graphql.OmittableOf(new("MINE@claims.example"))}, crm.Write{})
		require.Equal(t, []string{"CONFLICT EMAIL_IN_USE input.value"}, refusals(err))
		_, err = d.changePoint(t, id, crm.ContactPointUpdate{Value: graphql.OmittableOf(new("Next@Claims.example"))}, crm.Write{})
		require.NoError(t, err)
		require.Contains(t, d.reach(t, first), "Next@Claims.example*")
	})
	t.Run("contacts who are no customers may share an address", func(t *testing.T) {
		for range 2 {
			_, err := d.addPoint(t, d.individual(t, "Sharer"), email("mine@claims.example"), crm.Write{})
			require.NoError(t, err)
		}
	})
	t.Run("telephone numbers may be shared, unless the tenant wants otherwise", func(t *testing.T) {
		number := crm.NewContactPoint{Kind: crm.PointPhone, Value: "0176 5550 1234", IsPrimary: new(true)}
		_, err := d.addPoint(t, first, number, crm.Write{})
		require.NoError(t, err)
		_, err = d.addPoint(t, second, number, crm.Write{})
		require.NoError(t, err)
		d.settings(t, crm.TenantSettingsUpdate{PhoneUnique: graphql.OmittableOf(new(true))})
		number.Value = "0176 5550 9999"
		_, err = d.addPoint(t, first, number, crm.Write{})
		require.NoError(t, err)
		_, err = d.addPoint(t, second, number, crm.Write{})
		require.Equal(t, []string{"CONFLICT PHONE_IN_USE input.value"}, refusals(err))
	})
}

func TestContactPointConcurrency(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	p := d.individual(t, "Busy")
	const callers = 24
	t.Run("however many become primary at once, one is and leads to the party", func(t *testing.T) {
		errs := atOnce(callers, func(i int) error {
			_, err := d.addPoint(t, p, primary(email(fmt.Sprintf("busy%d@line.example", i))), crm.Write{})
			return err
		})
		require.Equal(t, callers, successes(errs), "%v", errs)
		require.Equal(t, callers+1, askDemo[int](t, d.world, "SELECT revision::int FROM party WHERE tenant_id = $1 AND id = $2", p.ID))
		require.Equal(t, askDemo[string](t, d.world, "SELECT string_agg(value, ' ') FROM contact_point WHERE tenant_id = $1 AND party_id = $2 AND is_primary", p.ID),
			askDemo[string](t, d.world, "SELECT string_agg(value, ' ') FROM identifier WHERE tenant_id = $1 AND party_id = $2 AND kind = 'EMAIL'", p.ID))
	})
	t.Run("one of many who saw the same revision wins", func(t *testing.T) {
		errs := atOnce(callers, func(i int) error {
			_, err := d.addPoint(t, p, email(fmt.Sprintf("late%d@line.example", i)), at(callers+1))
			return err
		})
		require.Equal(t, 1, successes(errs))
		for _, err := range errs {
			if err != nil {
				require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
			}
		}
	})
}

func TestPrimaryPointOfOtherOperations(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	set := func(p *crm.Party, kind crm.ContactPointKind, value *string, mode crm.ClaimMode) error {
		return crm.SetPrimaryPoint(d.admin(t), p.ID, kind, value, mode)
	}
	p := d.individual(t, "Set")
	t.Run("it is set, replaced in its place, and removed", func(t *testing.T) {
		require.NoError(t, set(p, crm.PointEmail, nil, crm.ClaimNever), "there is none to remove")
		require.NoError(t, set(p, crm.PointEmail, new("one@set.example"), crm.ClaimAlways))
		require.Equal(t, "one@set.example! | one@set.example*", d.reach(t, p))
		id := d.point(t, p, "one@set.example")
		require.NoError(t, set(p, crm.PointEmail, new("two@set.example"), crm.ClaimNever))
		require.Equal(t, "two@set.example! | two@set.example", d.reach(t, p))
		require.Equal(t, id, d.point(t, p, "two@set.example"))
		require.NoError(t, set(p, crm.PointEmail, nil, crm.ClaimNever))
		require.Empty(t, d.reach(t, p))
	})
	t.Run("another number has another extension", func(t *testing.T) {
		_, err := d.addPoint(t, p, crm.NewContactPoint{Kind: crm.PointPhone, Value: "030 1234567", Extension: new("9")}, crm.Write{})
		require.NoError(t, err)
		extension := "SELECT coalesce(extension, '') FROM contact_point WHERE tenant_id = $1 AND party_id = $2"
		require.NoError(t, set(p, crm.PointPhone, new("(030) 1234567"), crm.ClaimNever))
		require.Equal(t, "9", askDemo[string](t, d.world, extension, p.ID))
		require.NoError(t, set(p, crm.PointPhone, new("030 7654321"), crm.ClaimNever))
		require.Empty(t, askDemo[string](t, d.world, extension, p.ID))
	})
	t.Run("a claim is a conflict, or given up, as it is said", func(t *testing.T) {
		other := d.individual(t, "Other")
		require.NoError(t, set(p, crm.PointEmail, new("taken@set.example"), crm.ClaimAlways))
		require.Equal(t, []string{"CONFLICT EMAIL_IN_USE input.email"}, refusals(set(other, crm.PointEmail, new("taken@set.example"), crm.ClaimAlways)))
		require.NoError(t, set(other, crm.PointEmail, new("taken@set.example"), crm.ClaimIfFree))
		require.Equal(t, "taken@set.example! | taken@set.example", d.reach(t, other))
	})
	t.Run("who gets bills by e-mail keeps it", func(t *testing.T) {
		d.engage(t, d.organization(t, "Set Ltd"), p, holds("BILLING"))
		require.Equal(t, []string{"INVALID BILLING_EMAIL_REQUIRED input.email"}, refusals(set(p, crm.PointEmail, nil, crm.ClaimNever)))
	})
}
