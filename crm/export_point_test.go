package crm

import (
	"context"

	"github.com/google/uuid"
)

// SetPrimaryPoint is setPrimaryPoint as an operation of its own.
func SetPrimaryPoint(ctx context.Context, party uuid.UUID, kind ContactPointKind, value *string, mode ClaimMode) error {
	op := operation{"test", []Permission{PartyEdit}}
	_, err := perform(ctx, op, Write{}, party, func(*problems) {}, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.target(ctx, party, "id")
		if err != nil {
			return nil, err
		}
		if err := c.setPrimaryPoint(ctx, p, kind, value, mode, "input.email"); err != nil {
			return nil, err
		}
		c.saved(PartyUpdated, p, nil)
		return p.party, nil
	})
	return err
}
