// Package resolvers renders the domain's operations as the fields of the graph. A resolver
// holds one call of crm and neither a rule nor SQL.
package resolvers

import (
	"crmgraph/crm"
	"crmgraph/graph"
)

// Root gives the generated executor its resolvers.
type Root struct {
	Store *crm.Store
}

var _ graph.ResolverRoot = Root{}

// Query resolves the root fields.
func (r Root) Query() graph.QueryResolver { return queryResolver{r.Store} }
