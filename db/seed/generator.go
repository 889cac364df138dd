package seed

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/brianvoe/gofakeit/v7"
	"github.com/google/uuid"

	"crmgraph/crm"
)

// generator makes the rows of one tenant. Generators of the same tenant code and today
// that are asked for the same things make the same rows, byte for byte.
type generator struct {
	batch // made and not yet written

	today   time.Time  // what is past and what is to come, UTC
	credit  *generator // makes the entries of credit
	tenant  *tenant
	rng     *rand.Rand
	seed    uint64
	ids     *rand.Rand
	fake    *gofakeit.Faker
	made    uint64           // ids
	numbers map[string]int64 // the last of each kind given out
	roleIDs map[string]uuid.UUID
	termIDs []uuid.UUID
	places  []*locale
	cars    []*model
	vans    []*model
}

// The counters of numbers, and the numbers before the first.
const (
	customerNumber = "customer"
	partyNumber    = "party"
	vehicleNumber  = "vehicle"

	beforeFirstCustomer = 1000
	beforeFirstParty    = 1000
	beforeFirstVehicle  = 10000
)

// newGenerator starts a tenant with its reference rows.
func newGenerator(code, name string, today time.Time) *generator {
	h := fnv.New64a()
	_, _ = h.Write([]byte(code))
	seed := h.Sum64()
	g := &generator{
		today: today,
		seed:  seed,
		rng:   newRand(seed, 1),
		fake:  gofakeit.NewFaker(rand.NewPCG(seed, 2), false),
		numbers: map[string]int64{
			customerNumber: beforeFirstCustomer, partyNumber: beforeFirstParty, vehicleNumber: beforeFirstVehicle,
		},
		roleIDs: map[string]uuid.UUID{},
		places:  locales(),
		cars:    cars(),
		vans:    vans(),
	}
	g.chapter(0)
	g.tenant = &tenant{ID: g.id(), Code: code, Name: name, Status: "ACTIVE", CreatedAt: g.opening()}
	g.tenants = append(g.tenants, g.tenant)
	g.credit = g.clerk(creditChapter)
	g.reference()
	g.rules = g.policies()
	return g
}

// take hands over the rows made since the last call, with what follows from them.
func (g *generator) take() *batch {
	g.bookCredit()
	b := g.batch
	g.batch = batch{}
	return &b
}

// opening is when the tenant's business began.
func (g *generator) opening() time.Time { return g.today.AddDate(-4, 0, 0) }

// chapter lets ids go on from a fixed point after all those before: they do not depend on how
// many were made, which depends on the day.
func (g *generator) chapter(n uint64) {
	g.made = n << 24
	g.ids = newRand(g.seed, 3+n) // apart from rng, which depends on the day, too
}

// newRand is a source of chance: the same code gives the same data.
func newRand(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // nothing here is secret
}

// id makes the next id. Its first 60 payload bits count on from a fixed instant, as a
// UUIDv7 of that time would, so ids sort as they were made.
func (g *generator) id() uuid.UUID {
	const epoch = 1_640_995_200_000 // 2022-01-01 in milliseconds
	g.made++
	var id uuid.UUID
	millis := epoch + g.made>>12
	binary.BigEndian.PutUint64(id[:8], millis<<16|7<<12|g.made&0xfff)
	binary.BigEndian.PutUint64(id[8:], 2<<62|g.ids.Uint64()>>2)
	return id
}

// row identifies a new record.
func (g *generator) row() crm.Row { return crm.Row{TenantID: g.tenant.ID, ID: g.id()} }

// number gives out the next number of a kind.
func (g *generator) number(kind string) int64 {
	g.numbers[kind]++
	return g.numbers[kind]
}

// count records the numbers given out so far.
func (g *generator) count() {
	for _, kind := range []string{customerNumber, partyNumber, vehicleNumber} {
		g.counters = append(g.counters, &counter{TenantID: g.tenant.ID, Name: kind, LastValue: g.numbers[kind]})
	}
}

// chance is true in about percent of a hundred cases.
func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

// within picks a whole number from low to high, both included.
func (g *generator) within(low, high int) int { return low + g.rng.IntN(high-low+1) }

// between picks a whole second from [from, to).
func (g *generator) between(from, to time.Time) time.Time {
	seconds := int64(to.Sub(from) / time.Second)
	if seconds <= 0 {
		return from
	}
	return from.Add(time.Duration(g.rng.Int64N(seconds)) * time.Second)
}

// moment is the i-th of n instants, in order, spread over the life of the tenant.
func (g *generator) moment(i, n int) time.Time {
	step := g.today.Sub(g.opening()) / time.Duration(n)
	from := g.opening().Add(time.Duration(i) * step)
	return g.between(from, from.Add(step))
}

// fill replaces each # by a digit and each ? by a letter that no digit looks like.
func (g *generator) fill(pattern string) string {
	const letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
	return strings.Map(func(r rune) rune {
		switch r {
		case '#':
			return rune('0' + g.rng.IntN(10))
		case '?':
			return rune(letters[g.rng.IntN(len(letters))])
		default:
			return r
		}
	}, pattern)
}

// pick chooses one of the values.
func pick[T any](g *generator, values []T) T { return values[g.rng.IntN(len(values))] }
