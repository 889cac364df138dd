package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Identifier resolves the edges of a Identifier.
func (Root) Identifier() graph.IdentifierResolver { return identifierResolver{} }

type identifierResolver struct{}

var _ graph.IdentifierResolver = identifierResolver{}

func (identifierResolver) Party(ctx context.Context, i *crm.Identifier) (*crm.Party, error) {
	return crm.IdentifierParty.Load(ctx, i)
}

// ContactPoint resolves the edges of a ContactPoint.
func (Root) ContactPoint() graph.ContactPointResolver { return contactPointResolver{} }

type contactPointResolver struct{}

var _ graph.ContactPointResolver = contactPointResolver{}

func (contactPointResolver) Party(ctx context.Context, c *crm.ContactPoint) (*crm.Party, error) {
	return crm.ContactPointParty.Load(ctx, c)
}
