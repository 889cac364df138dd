package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) AccountCreditConsume(ctx context.Context, id string, input crm.CreditMove, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.AccountCreditPayload, error) {
	movement, err := m.store.ConsumeCredit(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return accountCreditPayload(ctx, movement, err)
}

func (m mutationResolver) AccountCreditRelease(ctx context.Context, id string, input crm.CreditMove, idempotencyKey *string, audit *crm.Audit) (*graph.AccountCreditPayload, error) {
	movement, err := m.store.ReleaseCredit(ctx, id, input, how(nil, idempotencyKey, audit))
	return accountCreditPayload(ctx, movement, err)
}

func (m mutationResolver) AccountCreditUpdate(ctx context.Context, id string, input crm.CreditUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.AccountPayload, error) {
	account, err := m.store.UpdateCredit(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return accountPayload(ctx, account, err)
}

func (m mutationResolver) AccountStatusChange(ctx context.Context, id string, status crm.AccountStatus, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.AccountPayload, error) {
	account, err := m.store.ChangeAccountStatus(ctx, id, status, how(&ifRevision, idempotencyKey, audit))
	return accountPayload(ctx, account, err)
}

func accountCreditPayload(ctx context.Context, movement *crm.CreditMovement, err error) (*graph.AccountCreditPayload, error) {
	if movement == nil {
		movement = &crm.CreditMovement{}
	}
	account, userErrors, err := changed(ctx, "account", movement.Account, err)
	if err != nil {
		return nil, err
	}
	transaction, _, err := changed(ctx, "transaction", movement.Transaction, nil)
	return &graph.AccountCreditPayload{Account: account, Transaction: transaction, UserErrors: userErrors}, err
}

func accountPayload(ctx context.Context, account *crm.Account, err error) (*graph.AccountPayload, error) {
	account, userErrors, err := changed(ctx, "account", account, err)
	if err != nil {
		return nil, err
	}
	return &graph.AccountPayload{Account: account, UserErrors: userErrors}, nil
}
