package main

import (
	"embed"
	"encoding/json"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"
)

//go:embed queries
var queries embed.FS

// workload is one kind of request, asked of both sides.
type workload struct {
	name     string
	title    string
	document string // what the server is sent
	field    string // the document's only root field
	sql      string // what the limit sends to Postgres: $1 is the tenant, $2 the argument
	ask      func(s *sample) []variables
}

// variables are those of a workload's document; the limit is sent them alone.
type variables struct {
	ID   string `json:"id,omitempty"`
	From int64  `json:"from,omitempty"`
	Text string `json:"text,omitempty"`
}

// argument is the value of the one variable that is set, as the limit binds it.
func (v variables) argument() any {
	switch {
	case v.ID != "":
		return strings.TrimPrefix(v.ID, "cus_")
	case v.Text != "":
		return v.Text
	default:
		return v.From
	}
}

// workloads are all there are.
func workloads() []workload {
	list := []workload{
		{name: "lookup", title: "Point lookup", field: "customer", ask: func(s *sample) []variables { return byID(s.customers) }},
		{name: "view", title: "Nested view of one customer", field: "customer", ask: func(s *sample) []variables { return byID(s.companies) }},
		{name: "page", title: "Page of 20 customers", field: "customers", ask: func(s *sample) []variables {
			return each(s.numbers, func(n int64) variables { return variables{From: n} })
		}},
		{name: "search", title: "Fuzzy search, 20 hits", field: "search", ask: func(s *sample) []variables {
			rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same errors in every run
			return each(s.names, func(name string) variables { return variables{Text: mistyped(rng, name)} })
		}},
		{name: "earn", title: "Earn points", field: "loyaltyEarn", ask: func(s *sample) []variables { return byID(s.accounts) }},
		{name: "redeem", title: "Redeem points", field: "loyaltyRedeem", ask: func(s *sample) []variables { return byID(s.accounts) }},
	}
	for i := range list {
		w := &list[i]
		w.document, w.sql = query(w.name+".graphql"), query(w.name+".sql")
	}
	return list
}

func query(file string) string {
	text, err := queries.ReadFile("queries/" + file)
	if err != nil {
		panic(err) // the files are compiled in
	}
	return string(text)
}

func each[T, R any](values []T, request func(T) R) []R {
	list := make([]R, len(values))
	for i, v := range values {
		list[i] = request(v)
	}
	return list
}

func byID(ids []uuid.UUID) []variables {
	return each(ids, func(id uuid.UUID) variables { return variables{ID: "cus_" + id.String()} })
}

// mistyped exchanges two neighbouring letters of a name.
func mistyped(rng *rand.Rand, name string) string {
	letters := []rune(name)
	for range 10 { // tries to find two that make a difference
		i := rng.IntN(len(letters) - 1)
		a, b := letters[i], letters[i+1]
		if a != ' ' && b != ' ' && a != b {
			letters[i], letters[i+1] = b, a
			break
		}
	}
	return string(letters)
}

// graphQL is the body of a request to the server.
func (w workload) graphQL(v variables) ([]byte, error) {
	return json.Marshal(map[string]any{"query": w.document, "variables": v})
}
