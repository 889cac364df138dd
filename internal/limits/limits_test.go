package limits_test

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"crmgraph/internal/limits"
)

const schemaText = `
interface Node { id: ID! }
scalar JSON
enum Tier { GOLD SILVER }
input Selector @oneOf { id: ID, number: Int }
input Where { and: [Where!], tier: Tier, score: Float, active: Boolean, name: String, tags: [String!] = [], owner: ID }

type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  customer(by: Selector): Customer
  customers(first: Int, last: Int, where: Where): CustomerConnection!
  brief(first: Int = 5): CustomerConnection!
  search(text: String, any: JSON): [Found!]!
  count(n: Int): Int
}
type Mutation { customerCreate(name: String): Payload! }
type Payload { customer: Customer userErrors: [UserError!]! }
type UserError { message: String! }
type Customer implements Node {
  id: ID!
  name: String
  parent: Customer
  address: Address
  orders(first: Int, last: Int): OrderConnection!
  flags: [Flag!]!
  labels: [String!]!
}
type Address { city: String country: Country }
type Country implements Node { id: ID! name: String }
type Flag { name: String customer: Customer }
type Order implements Node { id: ID! customer: Customer }
type PageInfo { hasNextPage: Boolean! }
type CustomerConnection { edges: [CustomerEdge!]! nodes: [Customer!]! pageInfo: PageInfo! totalCount: Int }
type CustomerEdge { cursor: String! node: Customer! }
type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! totalCount: Int }
type OrderEdge { node: Order! addedBy: Customer }
union Found = Customer | Order
`

func setup(t *testing.T, change ...func(*limits.Limits)) *limits.Checker {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: schemaText})
	require.NoError(t, err)
	l := limits.Default()
	for _, f := range change {
		f(&l)
	}
	return limits.New(l, schema)
}

func parse(t *testing.T, text string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	require.NoError(t, err)
	return doc
}

func validated(t *testing.T, text string) *ast.QueryDocument {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: schemaText})
	require.NoError(t, err)
	doc := parse(t, text)
	require.Empty(t, validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()))
	return doc
}

func requireCode(t *testing.T, err *gqlerror.Error, code string) {
	t.Helper()
	require.NotNil(t, err)
	require.Equal(t, code, err.Extensions["code"], err.Message)
}

func TestDefault(t *testing.T) {
	t.Parallel()

	t.Run("equals what the command line fills in", func(t *testing.T) {
		t.Parallel()
		var flags limits.Limits
		command, err := kong.New(&flags)
		require.NoError(t, err)
		_, err = command.Parse(nil)
		require.NoError(t, err)
		require.Equal(t, limits.Default(), flags)
	})
}
