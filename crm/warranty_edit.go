package crm

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// maxWarrantyMonths bounds how long a warranty is promised for.
const maxWarrantyMonths = 1200

// WarrantyRegistration is a new warranty (G3N 2.12).
type WarrantyRegistration struct {
	SerialNumber string     // 1 to 128 characters, kept in upper case
	CustomerID   string     // an ACTIVE customer
	Months       int        // 1 to 1200
	Coverage     *string    // at most 64 characters
	Description  *string    // at most 4000 characters
	StartsAt     *time.Time // now when absent
	ExpiresAt    *time.Time // after the start; the start plus the months when absent
	OrderRef     *string    // at most 128 characters
	VehicleID    *string    // an ACTIVE vehicle; the one whose VIN is the serial number when absent
}

func (in *WarrantyRegistration) check(p *problems) (customer uuid.UUID, vehicle *uuid.UUID) {
	in.SerialNumber = p.serial("input.serialNumber", in.SerialNumber)
	p.months("input.months", &in.Months)
	in.Coverage = p.text("input.coverage", in.Coverage, 64)
	in.Description = p.text("input.description", in.Description, 4000)
	in.StartsAt, in.ExpiresAt = p.instant("input.startsAt", in.StartsAt), p.instant("input.expiresAt", in.ExpiresAt)
	in.OrderRef = p.text("input.orderRef", in.OrderRef, 128)
	return Customers.id(p, "input.customerId", in.CustomerID), Vehicles.optionalID(p, "input.vehicleId", in.VehicleID)
}

// RegisterWarranty makes a warranty, ACTIVE.
// Errors: as perform, Invalid, NotFound for the customer or the vehicle, Conflict
// (AlreadyRegistered when another active warranty has the serial number, InvalidState for a
// customer or a vehicle that is not ACTIVE, PartyMerged).
func (*Store) RegisterWarranty(ctx context.Context, in WarrantyRegistration, w Write) (*Warranty, error) {
	var customer uuid.UUID
	var vehicle *uuid.UUID
	check := func(p *problems) { customer, vehicle = in.check(p) }
	op := operation{"warrantyRegister", []Permission{WarrantyCreate}}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*Warranty, error) {
		if err := c.activeCustomer(ctx, customer, "input.customerId"); err != nil {
			return nil, err
		}
		warranty := &Warranty{
			CustomerID: customer, SerialNumber: in.SerialNumber, Status: WarrantyActive, Months: &in.Months, Coverage: in.Coverage,
			Description: in.Description, OrderRef: in.OrderRef, StartsAt: valueOr(in.StartsAt, c.now), ExpiresAt: in.ExpiresAt,
		}
		if warranty.ExpiresAt == nil {
			expires := addMonths(warranty.StartsAt, in.Months)
			warranty.ExpiresAt = &expires
		}
		if err := warranty.ends("input.expiresAt"); err != nil {
			return nil, err
		}
		var err error
		if warranty.VehicleID, err = c.insured(ctx, vehicle, in.SerialNumber); err != nil {
			return nil, err
		}
		insert(c, Warranties, warranty)
		made(c, WarrantyRegistered, Warranties, warranty, map[string]any{"customer": Customers.nodeID(customer)})
		return warranty, nil
	})
}

// WarrantyUpdate changes a warranty: what is left out stays, null clears.
type WarrantyUpdate struct {
	Months      graphql.Omittable[*int]       `json:",omitzero"` // cannot be cleared; the expiry stays as it is
	Coverage    graphql.Omittable[*string]    `json:",omitzero"`
	Description graphql.Omittable[*string]    `json:",omitzero"`
	ExpiresAt   graphql.Omittable[*time.Time] `json:",omitzero"` // after the start; null for never
	OrderRef    graphql.Omittable[*string]    `json:",omitzero"`
}

func (in *WarrantyUpdate) check(p *problems) {
	text := func(field string, most int) func(*string) *string {
		return func(v *string) *string { return p.text(field, v, most) }
	}
	patchRequired(p, "input.months", &in.Months, func(v *int) *int { return p.months("input.months", v) })
	patch(&in.Coverage, text("input.coverage", 64))
	patch(&in.Description, text("input.description", 4000))
	patch(&in.ExpiresAt, func(v *time.Time) *time.Time { return p.instant("input.expiresAt", v) })
	patch(&in.OrderRef, text("input.orderRef", 128))
	if !in.Months.IsSet() && !in.Coverage.IsSet() && !in.Description.IsSet() && !in.ExpiresAt.IsSet() && !in.OrderRef.IsSet() {
		p.add("input", "nothing is given that could change")
	}
}

// UpdateWarranty changes the terms of an active warranty. Its serial number never changes.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState).
func (*Store) UpdateWarranty(ctx context.Context, warrantyID string, in WarrantyUpdate, w Write) (*Warranty, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Warranties.id(p, "id", warrantyID)
		in.check(p)
	}
	op := operation{"warrantyUpdate", []Permission{WarrantyEdit}}
	return perform(ctx, op, w, []any{warrantyID, &in}, check, func(ctx context.Context, c *change) (*Warranty, error) {
		warranty, err := c.warranty(ctx, id)
		if err != nil {
			return nil, err
		}
		apply(&warranty.Months, in.Months)
		apply(&warranty.Coverage, in.Coverage)
		apply(&warranty.Description, in.Description)
		apply(&warranty.ExpiresAt, in.ExpiresAt)
		apply(&warranty.OrderRef, in.OrderRef)
		if err := warranty.ends("input.expiresAt"); err != nil {
			return nil, err
		}
		altered(c, WarrantyUpdated, Warranties, warranty, update(c, Warranties, warranty), nil)
		return warranty, nil
	})
}

// ChangeWarrantyStatus ends an active warranty as EXPIRED, VOIDED or DOOMED, for good.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState).
func (*Store) ChangeWarrantyStatus(ctx context.Context, warrantyID string, status WarrantyStatus, w Write) (*Warranty, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Warranties.id(p, "id", warrantyID)
		word(p, "status", status, WarrantyExpired, WarrantyVoided, WarrantyDoomed)
	}
	op := operation{"warrantyStatusChange", []Permission{WarrantyEdit}}
	return perform(ctx, op, w, []any{warrantyID, status}, check, func(ctx context.Context, c *change) (*Warranty, error) {
		warranty, err := c.warranty(ctx, id)
		if err != nil {
			return nil, err
		}
		details := map[string]any{"from": warranty.Status, "to": status}
		warranty.Status = status
		altered(c, WarrantyStatusChanged, Warranties, warranty, update(c, Warranties, warranty), details)
		return warranty, nil
	})
}

// TransferWarranty registers an active warranty to another ACTIVE customer.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState, PartyMerged).
func (*Store) TransferWarranty(ctx context.Context, warrantyID, customerID string, w Write) (*Warranty, error) {
	var id, customer uuid.UUID
	check := func(p *problems) {
		id = Warranties.id(p, "id", warrantyID)
		customer = Customers.id(p, "customerId", customerID)
	}
	op := operation{"warrantyTransfer", []Permission{WarrantyEdit}}
	return perform(ctx, op, w, []string{warrantyID, customerID}, check, func(ctx context.Context, c *change) (*Warranty, error) {
		if err := c.activeCustomer(ctx, customer, "customerId"); err != nil {
			return nil, err
		}
		warranty, err := c.warranty(ctx, id)
		if err != nil {
			return nil, err
		}
		if warranty.CustomerID == customer {
			return nil, invalidf("customerId", "the warranty is registered to this customer already")
		}
		details := map[string]any{"from": Customers.nodeID(warranty.CustomerID), "to": Customers.nodeID(customer)}
		warranty.CustomerID = customer
		altered(c, WarrantyTransferred, Warranties, warranty, update(c, Warranties, warranty), details)
		return warranty, nil
	})
}

// LinkWarrantyVehicle says which ACTIVE vehicle an active warranty is about, nil for none.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState).
func (*Store) LinkWarrantyVehicle(ctx context.Context, warrantyID string, vehicleID *string, w Write) (*Warranty, error) {
	var id uuid.UUID
	var vehicle *uuid.UUID
	check := func(p *problems) {
		id = Warranties.id(p, "id", warrantyID)
		vehicle = Vehicles.optionalID(p, "vehicleId", vehicleID)
	}
	op := operation{"warrantyVehicleLink", []Permission{WarrantyEdit}}
	return perform(ctx, op, w, []any{warrantyID, vehicleID}, check, func(ctx context.Context, c *change) (*Warranty, error) {
		warranty, err := c.warranty(ctx, id)
		if err != nil {
			return nil, err
		}
		if vehicle != nil {
			if err := c.insurable(ctx, *vehicle, "vehicleId"); err != nil {
				return nil, err
			}
		}
		warranty.VehicleID = vehicle
		altered(c, WarrantyUpdated, Warranties, warranty, update(c, Warranties, warranty), nil)
		return warranty, nil
	})
}

// warranty locks the warranty that an operation changes: it must be ACTIVE and the revision
// that the caller saw. Errors: NotFound, Conflict (InvalidState), Stale.
func (c *change) warranty(ctx context.Context, id uuid.UUID) (*Warranty, error) {
	warranty, err := lockOne(ctx, c, Warranties, id)
	if err != nil {
		return nil, err
	}
	if warranty.Status != WarrantyActive {
		return nil, conflictf(InvalidState, "id", "the warranty is %s, which is final", warranty.Status)
	}
	return warranty, c.expected(warranty, warranty.Revision)
}

// activeCustomer locks a customer that may get something. Errors: NotFound, Conflict
// (InvalidState, PartyMerged), all at field.
func (c *change) activeCustomer(ctx context.Context, id uuid.UUID, field string) error {
	p, err := c.editableCustomer(ctx, id, field)
	if err != nil {
		return err
	}
	if p.customer.Status != CustomerActive {
		return conflictf(InvalidState, field, "the customer is %s", p.customer.Status)
	}
	return nil
}

// editableCustomer locks a customer that is open to changes. Errors: NotFound, Conflict
// (InvalidState, PartyMerged), all at field.
func (c *change) editableCustomer(ctx context.Context, id uuid.UUID, field string) (*profile, error) {
	found, err := c.profiles(ctx, id)
	if err != nil {
		return nil, err
	}
	p := found[id]
	if p == nil || p.customer == nil {
		return nil, missing(field, Customers)
	}
	return p, p.editable(field)
}

// insured is the vehicle that a new warranty is about: the one given, else the active one whose
// VIN is the serial number, nil when there is none. Errors: NotFound, Conflict.
func (c *change) insured(ctx context.Context, given *uuid.UUID, serial string) (*uuid.UUID, error) {
	if given != nil {
		return given, c.insurable(ctx, *given, "input.vehicleId")
	}
	if !wellFormedVIN(serial) {
		return nil, nil //nolint:nilnil // not every warranty is about a vehicle
	}
	rows, err := find(ctx, c, Vehicles, "t.vin = $2 AND t.status = 'ACTIVE' FOR SHARE", serial)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0].ID, nil
}

// insurable checks that a warranty can be about a vehicle. Errors: NotFound, Conflict
// (InvalidState), both at field.
func (c *change) insurable(ctx context.Context, id uuid.UUID, field string) error {
	rows, err := find(ctx, c, Vehicles, "t.id = $2 FOR SHARE", id)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return missing(field, Vehicles)
	}
	return rows[0].inUse(field)
}

// ends checks that a warranty ends after it began. Errors: Invalid.
func (w *Warranty) ends(field string) error {
	if w.ExpiresAt != nil && !w.ExpiresAt.After(w.StartsAt) {
		return invalidf(field, "a warranty expires after it began")
	}
	return nil
}

// addMonths is the same time so many calendar months later, or at the month's last day when
// it has no such day. It counts in UTC.
func addMonths(t time.Time, months int) time.Time {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// months checks for how many months something is promised.
func (p *problems) months(field string, value *int) *int {
	if value != nil && (*value < 1 || *value > maxWarrantyMonths) {
		p.add(field, "a warranty is promised for 1 to %d months", maxWarrantyMonths)
	}
	return value
}

// serial checks a serial number and turns it to upper case.
func (p *problems) serial(field, value string) string {
	return NormaliseCode(p.required(field, value, 128))
}
