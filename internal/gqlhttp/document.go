package gqlhttp

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"crmgraph/internal/limits"
)

// Bounds of the document cache. A node of a parsed document takes some 250 bytes,
// so a full cache takes some 40 MB at worst.
const (
	maxDocuments = 1000
	maxText      = 8 << 10 // bytes; longer texts are not kept
	maxNodes     = 150_000 // of all the documents kept
)

// document is a document that passed every check no variable can change. It is
// shared between requests and never changed.
type document struct {
	parsed *ast.QueryDocument
	plan   *limits.Plan
	nodes  int
	memory *sync.Map // what others made of it; nil when it is not kept
}

// documents turns texts into documents and keeps the most recent ones, so that a
// text seen before costs a look-up.
type documents struct {
	schema  *ast.Schema
	checker *limits.Checker

	mu    sync.Mutex
	kept  *simplelru.LRU[string, *document]
	nodes int
}

func newDocuments(schema *ast.Schema, checker *limits.Checker) *documents {
	d := &documents{schema: schema, checker: checker}
	forget := func(_ string, gone *document) { d.nodes -= gone.nodes }
	kept, err := simplelru.NewLRU(maxDocuments, forget)
	if err != nil {
		panic(err) // only for a size below one
	}
	d.kept = kept
	return d
}

// get returns the document of a text.
func (d *documents) get(text string) (*document, gqlerror.List) {
	d.mu.Lock()
	doc, found := d.kept.Get(text)
	d.mu.Unlock()
	if found {
		return doc, nil
	}
	doc, errs := d.check(text)
	if errs == nil && len(text) <= maxText {
		d.keep(text, doc)
	}
	return doc, errs
}

func (d *documents) keep(text string, doc *document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept.Contains(text) {
		return // another request was faster
	}
	doc.memory = &sync.Map{}
	d.kept.Add(text, doc)
	d.nodes += doc.nodes
	for d.nodes > maxNodes {
		d.kept.RemoveOldest()
	}
}

// check parses and validates a text, with the linear checks before validation.
func (d *documents) check(text string) (*document, gqlerror.List) {
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, d.checker.Limits().Tokens)
	if err != nil {
		return nil, gqlerror.List{d.parseError(err)}
	}
	if len(parsed.Operations) == 0 {
		return nil, gqlerror.List{coded(BadUserInput, "the document has no operation")}
	}
	nodes, tooMuch := d.checker.Document(parsed)
	if tooMuch != nil {
		return nil, gqlerror.List{tooMuch}
	}
	if errs := validator.ValidateWithRules(d.schema, parsed, validationRules()); len(errs) > 0 {
		return nil, worded(errs, validationMessage)
	}
	withoutDefer(parsed)
	return &document{parsed: parsed, plan: d.checker.Plan(parsed), nodes: nodes}, nil
}

func (d *documents) parseError(err error) *gqlerror.Error {
	var problem *gqlerror.Error
	if !errors.As(err, &problem) {
		return coded(BadUserInput, "the document cannot be parsed")
	}
	if problem.Locations == nil {
		// The token limit is the one error of the parser that has no place.
		return coded(CostLimitExceeded, problem.Message)
	}
	out := coded(BadUserInput, unquoted(problem.Message))
	out.Locations = problem.Locations
	return out
}

func validationMessage(err *gqlerror.Error) string {
	if strings.HasPrefix(err.Rule, rules.ValuesOfCorrectTypeRule.Name) {
		return unquoted(err.Message)
	}
	return err.Message
}

// validationRules returns the specification's rules, each in the form that suggests
// nothing: finding suggestions is slow and tells the schema.
func validationRules() *rules.Rules {
	r := rules.NewDefaultRules()
	replace := func(spoken, silent core.Rule) {
		r.RemoveRule(spoken.Name)
		r.AddRule(silent.Name, silent.RuleFunc)
	}
	replace(rules.FieldsOnCorrectTypeRule, rules.FieldsOnCorrectTypeRuleWithoutSuggestions)
	replace(rules.KnownArgumentNamesRule, rules.KnownArgumentNamesRuleWithoutSuggestions)
	replace(rules.KnownTypeNamesRule, rules.KnownTypeNamesRuleWithoutSuggestions)
	replace(rules.ScalarLeafsRule, rules.ScalarLeafsRuleWithoutSuggestions)
	replace(rules.ValuesOfCorrectTypeRule, rules.ValuesOfCorrectTypeRuleWithoutSuggestions)
	return r
}

// withoutDefer removes @defer, after validation so that its variables count as used.
// gqlgen would leave deferred fields for later answers, and there is only one.
func withoutDefer(doc *ast.QueryDocument) {
	for _, op := range doc.Operations {
		undefer(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		undefer(f.SelectionSet)
	}
}

func undefer(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			undefer(s.SelectionSet)
		case *ast.InlineFragment:
			s.Directives = immediate(s.Directives)
			undefer(s.SelectionSet)
		case *ast.FragmentSpread:
			s.Directives = immediate(s.Directives)
		}
	}
}

func immediate(list ast.DirectiveList) ast.DirectiveList {
	out := list[:0]
	for _, d := range list {
		if d.Name != "defer" {
			out = append(out, d)
		}
	}
	return out
}

// Memory is where to keep what is made of the document of the request in ctx, for as long as the door
// keeps the document; nil when it does not.
func Memory(ctx context.Context) *sync.Map {
	c := callOf(ctx)
	if c == nil || c.document == nil {
		return nil
	}
	return c.document.memory
}

// prepared gives the executor the document the request was checked with, in place of
// a cache of its own: the executor then neither parses nor validates.
type prepared struct{}

// Get returns the document of the request in ctx.
func (prepared) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	return callOf(ctx).document.parsed, true
}

// Add does nothing, since Get always finds a document.
func (prepared) Add(context.Context, string, *ast.QueryDocument) {}
