package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// CommunicationPreferences resolves the edges of a CommunicationPreferences.
func (Root) CommunicationPreferences() graph.CommunicationPreferencesResolver {
	return preferencesResolver{}
}

type preferencesResolver struct{}

var _ graph.CommunicationPreferencesResolver = preferencesResolver{}

func (preferencesResolver) Consents(ctx context.Context, p *crm.CommunicationPreferences) ([]*crm.Consent, error) {
	return crm.PreferenceConsents.All(ctx, p)
}

func (preferencesResolver) Party(ctx context.Context, p *crm.CommunicationPreferences) (*crm.Party, error) {
	return crm.PreferencesParty.Load(ctx, p)
}

// Consent resolves the edges of a Consent.
func (Root) Consent() graph.ConsentResolver { return consentResolver{} }

type consentResolver struct{}

var _ graph.ConsentResolver = consentResolver{}

func (consentResolver) Party(ctx context.Context, c *crm.Consent) (*crm.Party, error) {
	return crm.ConsentParty.Load(ctx, c)
}

// ConsentChange resolves the edges of a ConsentChange.
func (Root) ConsentChange() graph.ConsentChangeResolver { return consentChangeResolver{} }

type consentChangeResolver struct{}

var _ graph.ConsentChangeResolver = consentChangeResolver{}

func (consentChangeResolver) Party(ctx context.Context, c *crm.ConsentChange) (*crm.Party, error) {
	return crm.ConsentChangeParty.Load(ctx, c)
}

func (partyResolver) CommunicationPreferences(ctx context.Context, p *crm.Party) (*crm.CommunicationPreferences, error) {
	return crm.PreferencesOfParty(ctx, p)
}

func (partyResolver) Consents(ctx context.Context, p *crm.Party) ([]*crm.Consent, error) {
	return crm.PartyConsents.All(ctx, p)
}

func (partyResolver) ConsentHistory(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.ConsentChangeConnection, error) {
	return page(ctx, crm.PartyConsentHistory, p, first, after, last, before)
}

func (customerResolver) CommunicationPreferences(ctx context.Context, c *crm.Customer) (*crm.CommunicationPreferences, error) {
	return crm.PreferencesOfCustomer(ctx, c)
}

func (customerResolver) Consents(ctx context.Context, c *crm.Customer) ([]*crm.Consent, error) {
	return crm.CustomerConsents.All(ctx, c)
}

func (customerResolver) ConsentHistory(ctx context.Context, c *crm.Customer, first *int, after *string, last *int, before *string) (*crm.ConsentChangeConnection, error) {
	return page(ctx, crm.CustomerConsentHistory, c, first, after, last, before)
}
