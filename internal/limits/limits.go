// Package limits bounds what one GraphQL request may ask for, before anything
// is read for it.
//
// There are three walls, in the order a request meets them. [Checker.Document]
// looks at a parsed document that is not validated yet, because validation is
// quadratic for hostile documents; it visits every node once. [Checker.Variables]
// holds the JSON values of the variables against their declared types.
// [Checker.Plan] compiles a validated document into the few terms that read
// rows, which [Plan.Price] then prices for each request's variables.
//
// Every error is a [gqlerror.Error] whose extensions carry a code: [BadUserInput]
// for a value that can never be right, [CostLimitExceeded] for a document that
// asks for too much.
package limits

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The codes of this package's errors, found under "code" in their extensions.
const (
	BadUserInput      = "BAD_USER_INPUT"
	CostLimitExceeded = "COST_LIMIT_EXCEEDED"
)

// Limits are the amounts one request may reach. The struct tags are flags and
// environment variables for the command line; [Default] returns the same values.
type Limits struct {
	Tokens     int `help:"Lexical tokens in one document." default:"2000" env:"CRMGRAPH_LIMIT_TOKENS"`
	Depth      int `help:"Fields nested in one another." default:"15" env:"CRMGRAPH_LIMIT_DEPTH"`
	Aliases    int `help:"Uses of one field in one selection set." default:"15" env:"CRMGRAPH_LIMIT_ALIASES"`
	RootFields int `help:"Root fields of one operation." default:"20" env:"CRMGRAPH_LIMIT_ROOT_FIELDS"`
	Directives int `help:"Directives in one document." default:"20" env:"CRMGRAPH_LIMIT_DIRECTIVES"`
	Fragments  int `help:"Fragment definitions in one document." default:"50" env:"CRMGRAPH_LIMIT_FRAGMENTS"`
	Selections int `help:"Selections of one document after its fragments are expanded." default:"5000" env:"CRMGRAPH_LIMIT_SELECTIONS"`
	Overlap    int `help:"Sum, over response names, of the square of their uses in one document." default:"400000" env:"CRMGRAPH_LIMIT_OVERLAP"`
	PageSize   int `help:"Records in one page of a connection; 100 is the most there can be." default:"100" env:"CRMGRAPH_LIMIT_PAGE_SIZE"`
	ListLength int `help:"Values in one input list; a filter takes 250 at most." default:"250" env:"CRMGRAPH_LIMIT_LIST_LENGTH"`
	Cost       int `help:"Cost points of one operation; a point is ten rows." default:"1000" env:"CRMGRAPH_LIMIT_COST"`
}

// Default returns the limits that hold when nothing is configured.
func Default() Limits {
	return Limits{
		Tokens: 2000, Depth: 15, Aliases: 15, RootFields: 20, Directives: 20, Fragments: 50,
		Selections: 5000, Overlap: 400_000, PageSize: 100, ListLength: 250, Cost: 1000,
	}
}

// maxNesting is how deep lists and objects may nest in an input value.
const maxNesting = 64

// Checker holds requests against [Limits] for one schema. It is safe for
// concurrent use.
type Checker struct {
	limits Limits
	schema *ast.Schema
	shape  shape
}

// New returns a Checker. The schema must not change afterwards.
func New(l Limits, schema *ast.Schema) *Checker {
	return &Checker{limits: l, schema: schema, shape: shapeOf(schema)}
}

// Limits returns the limits the Checker holds requests against.
func (c *Checker) Limits() Limits { return c.limits }

// refusal makes an error with a code, placed at pos unless that is nil.
func refusal(code string, pos *ast.Position, format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	if pos != nil {
		err.Locations = []gqlerror.Location{{Line: pos.Line, Column: pos.Column}}
	}
	err.Extensions = map[string]any{"code": code}
	return err
}
