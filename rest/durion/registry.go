package durion

import (
	"context"
	"strings"

	"crmgraph/crm"
	"crmgraph/rest"
)

// vehicleEntity is a vehicle of the registry (Durion 2.6). What it lacks is null, and 0 for the year.
type vehicleEntity struct {
	ID        int64   `json:"id"`
	Make      *string `json:"make"`
	Model     *string `json:"model"`
	Year      int     `json:"year"`
	VIN       *string `json:"vin"`
	VehicleID string  `json:"vehicleId"`
}

func entityOf(row *crm.Vehicle) *vehicleEntity {
	e := &vehicleEntity{ID: row.Number, Make: row.Make, Model: row.Model, VIN: row.VINNormalised, VehicleID: row.ID.String()}
	if row.Year != nil {
		e.Year = *row.Year
	}
	return e
}

// registrySorting is what the list of the registry can be sorted by.
var registrySorting = sorting[crm.VehicleSearchOrderField]{
	fields: map[string]crm.VehicleSearchOrderField{"id": crm.ByNumber, "make": crm.ByMake, "model": crm.ByModel, "year": crm.ByYear},
	usual:  "id", direction: crm.Asc,
}

// listRegistry is D-28.
func (d *door) listRegistry(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	page := pagingOf(r, r.Query, registrySorting)
	active := crm.VehicleActive
	hits, err := d.store.SearchVehicles(ctx, crm.VehicleQuery{Status: &active},
		&crm.VehicleSearchOrder{Field: page.Field, Direction: page.Direction}, page.slice(d.listCap))
	if err != nil {
		return nil, err
	}
	var rows []*vehicleEntity
	for _, row := range hits.Nodes() {
		rows = append(rows, entityOf(row))
	}
	total, err := hits.TotalCount(ctx)
	if err != nil {
		return nil, err
	}
	return bareList(page, rows, *total, hits.HasNextPage()), nil
}

// registration reads what every write of the registry needs.
func registration(r *rest.Request) (in crm.VehicleRegistration) {
	in.Make = r.Body.Required("input.make", "make")
	in.Model = r.Body.Required("input.model", "model")
	if year := r.Body.Int("input.year", "year"); year != nil {
		in.Year = *year
	} else {
		r.Refuse("", "year", "a value is required")
	}
	return in
}

// createRegistered is D-29 and D-36.
func (d *door) createRegistered(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	in := registration(r)
	in.VIN = r.Body.Required("input.vin", "vin")
	row, err := d.store.RegisterVehicle(ctx, in, crm.Write{})
	if err != nil {
		return nil, err
	}
	return rest.OK(entityOf(row)), nil
}

// registered names the vehicle that the path is about, by its number or its VIN.
func registered(r *rest.Request) crm.VehicleRef {
	if strings.HasSuffix(r.Route.Path, "{vin}") {
		vin := r.Var("vin", "vin")
		return crm.VehicleRef{VIN: &vin}
	}
	n := number(r)
	return crm.VehicleRef{Number: &n}
}

// getRegistered is D-30 and D-33.
func (d *door) getRegistered(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	row, err := d.store.VehicleInUse(ctx, registered(r))
	if err != nil {
		return nil, err
	}
	return rest.OK(entityOf(row)), nil
}

// updateRegistered is D-31.
func (d *door) updateRegistered(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	ref := registered(r)
	return d.updateRegistration(ctx, ref, registrationUpdate(r))
}

// updateRegisteredByVIN is D-34. It reads the body before the path: both have a vin, and only that
// of the body can be refused.
func (d *door) updateRegisteredByVIN(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	in := registrationUpdate(r)
	return d.updateRegistration(ctx, registered(r), in)
}

// registrationUpdate reads what replaces the data of a vehicle of the registry.
func registrationUpdate(r *rest.Request) crm.VehicleUpdate {
	in := registration(r)
	return crm.VehicleUpdate{
		Make: crm.Given(&in.Make), Model: crm.Given(&in.Model), Year: crm.Given(&in.Year),
		VIN: sent(r.Body.Text("input.vin", "vin")),
	}
}

func (d *door) updateRegistration(ctx context.Context, ref crm.VehicleRef, in crm.VehicleUpdate) (*rest.Response, error) {
	row, err := d.store.UpdateVehicleBy(ctx, ref, in, crm.Write{})
	if err != nil {
		return nil, err
	}
	return rest.OK(entityOf(row)), nil
}

// deleteRegistered is D-32 and D-35.
func (d *door) deleteRegistered(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	if _, err := d.store.DeactivateVehicleBy(ctx, registered(r), crm.Write{}); err != nil {
		return nil, err
	}
	return rest.NoContent(), nil
}
