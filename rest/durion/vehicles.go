package durion

import (
	"context"
	"strings"

	"crmgraph/crm"
	"crmgraph/rest"
)

// vehicle is the VehicleResponse (Durion 2).
type vehicle struct {
	VehicleID          string            `json:"vehicleId"`
	PartyID            string            `json:"partyId,omitempty"` // of the owner
	VINNumber          string            `json:"vinNumber,omitempty"`
	UnitNumber         string            `json:"unitNumber,omitempty"`
	Description        string            `json:"description,omitempty"`
	LicensePlate       string            `json:"licensePlate,omitempty"`
	LicensePlateRegion string            `json:"licensePlateRegion,omitempty"`
	Make               string            `json:"make,omitempty"`
	Model              string            `json:"model,omitempty"`
	Year               int               `json:"year,omitempty"`
	Trim               string            `json:"trim,omitempty"`
	Status             crm.VehicleStatus `json:"status"`
	Version            string            `json:"version"`
	CreatedAt          instant           `json:"createdAt"`
	UpdatedAt          instant           `json:"updatedAt"`

	MatchType crm.VehicleMatch `json:"matchType,omitempty"` // of a search with q
	Owner     *vehicleOwner    `json:"owner,omitempty"`     // of D-18 and D-19
}

// vehicleOwner is who owns a vehicle.
type vehicleOwner struct {
	PartyID     string        `json:"partyId"`
	DisplayName string        `json:"displayName"`
	PartyType   crm.PartyKind `json:"partyType"`
}

// vehicleOf shows a vehicle of a party, whose id is empty when nobody owns it.
func vehicleOf(row *crm.Vehicle, partyID string) *vehicle {
	shown := &vehicle{
		VehicleID: row.ID.String(), PartyID: partyID, VINNumber: text(row.VINNormalised),
		UnitNumber: text(row.UnitNumber), Description: text(row.Description),
		LicensePlate: text(row.Plate), LicensePlateRegion: text(row.PlateRegion),
		Make: text(row.Make), Model: text(row.Model), Trim: text(row.Trim),
		Status: row.Status, Version: version(row.Revision), CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
	if row.Year != nil {
		shown.Year = *row.Year
	}
	return shown
}

// vehicleWithOwner shows a vehicle and who owns it now.
func vehicleWithOwner(ctx context.Context, row *crm.Vehicle) (*vehicle, error) {
	owner, err := crm.VehicleOwner.Load(ctx, row)
	if err != nil || owner == nil {
		return vehicleOf(row, ""), err
	}
	shown := vehicleOf(row, owner.ID.String())
	shown.Owner = &vehicleOwner{shown.PartyID, owner.DisplayName, owner.Kind}
	if owner.TradingName != nil {
		shown.Owner.DisplayName = *owner.TradingName
	}
	return shown, nil
}

// createVehicleForParty is D-11.
func (d *door) createVehicleForParty(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	return d.createVehicle(ctx, r, partyID(r, "partyId"))
}

// createVehicleForCustomer is D-20.
func (d *door) createVehicleForCustomer(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	owner, err := d.customer(ctx, r.Var("customerId", "partyId"))
	if err != nil {
		return nil, err
	}
	return d.createVehicle(ctx, r, owner)
}

func (d *door) createVehicle(ctx context.Context, r *rest.Request, owner string) (*rest.Response, error) {
	row, err := d.store.CreateVehicle(ctx, owner, crm.VehicleInput{
		VIN:         r.Body.Required("input.vin", "vinNumber", "vin"),
		UnitNumber:  r.Body.Filled("input.unitNumber", "unitNumber"),
		Description: r.Body.Required("input.description", "description"),
		Plate:       r.Body.Filled("input.plate", "licensePlate"),
		PlateRegion: r.Body.Filled("input.plateRegion", "licensePlateRegion", "licensePlateJurisdiction"),
		Make:        r.Body.Text("input.make", "make"),
		Model:       r.Body.Text("input.model", "model"),
		Year:        r.Body.Int("input.year", "year"),
		Trim:        r.Body.Text("input.trim", "trim"),
	}, crm.Write{})
	if err != nil {
		return nil, err
	}
	return rest.Created(vehicleOf(row, bare(owner))), nil
}

// searchVehicles is D-18.
func (d *door) searchVehicles(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	query := vehicleQuery(r)
	page := pagingOf(r, r.Query, vehicleSorting(query.Q != nil))
	order := &crm.VehicleSearchOrder{Field: page.Field, Direction: page.Direction}
	if page.Field == crm.ByRelevance { // downwards from the best, which comes first upwards in the domain
		order.Direction = map[crm.Direction]crm.Direction{crm.Asc: crm.Desc, crm.Desc: crm.Asc}[page.Direction]
	}
	hits, err := d.store.SearchVehicles(ctx, query, order, page.Slice(0))
	if err != nil {
		return nil, err
	}
	crm.Prefetch(ctx, "Vehicle", hits.Nodes(), crm.Plan{{Field: "owner"}})
	var rows []*vehicle
	for _, hit := range hits.Edges() {
		shown, err := vehicleWithOwner(ctx, hit.Node)
		if err != nil {
			return nil, err
		}
		if hit.MatchType != nil {
			shown.MatchType = *hit.MatchType
		}
		rows = append(rows, shown)
	}
	total, err := hits.TotalCount(ctx)
	if err != nil {
		return nil, err
	}
	return enveloped(page.Page, rows, *total), nil
}

// vehicleQuery reads what vehicles are looked for.
func vehicleQuery(r *rest.Request) crm.VehicleQuery {
	query := crm.VehicleQuery{
		Q:           r.Query.Text("input.q", "q"),
		VIN:         r.Query.Text("input.vin", "vin"),
		UnitNumber:  r.Query.Text("input.unitNumber", "unitNumber"),
		Plate:       r.Query.Text("input.plate", "licensePlate"),
		PlateRegion: r.Query.Text("input.plateRegion", "licensePlateRegion"),
		PartyID:     r.Query.Text("input.partyId", "partyId"),
	}
	if query.PartyID != nil {
		*query.PartyID = globalID("pty", *query.PartyID)
	}
	active := crm.VehicleActive
	switch status := r.Query.Text("input.status", "status"); {
	case status == nil:
		query.Status = &active
	case *status == "ALL":
	case crm.VehicleStatus(*status) == crm.VehicleActive, crm.VehicleStatus(*status) == crm.VehicleInactive:
		query.Status = (*crm.VehicleStatus)(status)
	default:
		r.Refuse("", "status", "the status is ACTIVE, INACTIVE or ALL")
	}
	query.EnableContains = r.Query.Bool("input.enableContains", "enableContains")
	return query
}

// vehicleSorting is what vehicles can be sorted by: by relevance only when they are looked for by a
// text, and then as a rule.
func vehicleSorting(text bool) sorting[crm.VehicleSearchOrderField] {
	by := sorting[crm.VehicleSearchOrderField]{
		fields: map[string]crm.VehicleSearchOrderField{"createdAt": crm.ByCreatedAt, "unitNumber": crm.ByUnitNumber, "vinNumber": crm.ByVIN},
		usual:  "createdAt", direction: crm.Desc,
	}
	if text {
		by.usual = "relevance"
		by.fields[by.usual] = crm.ByRelevance
	}
	return by
}

// getVehicle is D-19.
func (d *door) getVehicle(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	id := globalID("veh", r.Var("vehicleId", "id"))
	row, err := d.store.VehicleInUse(ctx, crm.VehicleRef{ID: &id})
	if err != nil {
		return nil, err
	}
	shown, err := vehicleWithOwner(ctx, row)
	if err != nil {
		return nil, err
	}
	return rest.OK(shown), nil
}

// updateVehicle is D-21.
func (d *door) updateVehicle(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	owner, err := d.customer(ctx, r.Var("customerId", "ownerId"))
	if err != nil {
		return nil, err
	}
	ref, in := vehicleUpdate(r)
	ref.OwnerID = &owner
	row, err := d.store.UpdateVehicleBy(ctx, ref, in, write(r))
	if err != nil {
		return nil, err
	}
	return rest.OK(vehicleOf(row, bare(owner))), nil
}

// vehicleUpdate reads what changes of which vehicle. The VIN names the vehicle when there is no id;
// beside one, it must be that of the vehicle.
func vehicleUpdate(r *rest.Request) (crm.VehicleRef, crm.VehicleUpdate) {
	id, vin := r.Body.Text("id", "vehicleId"), r.Body.Text("input.vin", "vinNumber", "vin")
	in := crm.VehicleUpdate{
		UnitNumber:  rest.Patch(r.Body, r.Body.Filled, "input.unitNumber", "unitNumber"),
		Description: rest.Patch(r.Body, r.Body.Text, "input.description", "description"),
		Plate:       rest.Patch(r.Body, r.Body.Filled, "input.plate", "licensePlate"),
		PlateRegion: rest.Patch(r.Body, r.Body.Filled, "input.plateRegion", "licensePlateRegion", "licensePlateJurisdiction"),
		Make:        rest.Patch(r.Body, r.Body.Text, "input.make", "make"),
		Model:       rest.Patch(r.Body, r.Body.Text, "input.model", "model"),
		Year:        rest.Patch(r.Body, r.Body.Int, "input.year", "year"),
		Trim:        rest.Patch(r.Body, r.Body.Text, "input.trim", "trim"),
	}
	switch {
	case strings.TrimSpace(text(id)) != "":
		global := globalID("veh", *id)
		in.VIN = sent(vin)
		return crm.VehicleRef{ID: &global}, in
	case strings.TrimSpace(text(vin)) == "":
		r.Refuse("", "vehicleId", "a vehicleId, or a vinNumber in its place, is needed")
	}
	return crm.VehicleRef{VIN: vin}, in
}

// deleteVehicle is D-22.
func (d *door) deleteVehicle(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	ref, err := d.owned(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err := d.store.DeactivateVehicleBy(ctx, ref, crm.Write{}); err != nil {
		return nil, err
	}
	return rest.NoContent(), nil
}

// getVehicleOfCustomer is D-23.
func (d *door) getVehicleOfCustomer(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	ref, err := d.owned(ctx, r)
	if err != nil {
		return nil, err
	}
	row, err := d.store.VehicleInUse(ctx, ref)
	if err != nil {
		return nil, err
	}
	return rest.OK(vehicleOf(row, bare(*ref.OwnerID))), nil
}

// owned names the vehicle of a customer that the path is about. Errors: Unavailable.
func (d *door) owned(ctx context.Context, r *rest.Request) (crm.VehicleRef, error) {
	owner, err := d.customer(ctx, r.Var("customerId", "ownerId"))
	id := globalID("veh", r.Var("vehicleId", "id"))
	return crm.VehicleRef{ID: &id, OwnerID: &owner}, err
}

// transfer is the answer to a TransferVehicleRequest (Durion D-24).
type transfer struct {
	VehicleID     string             `json:"vehicleId"`
	FromPartyID   string             `json:"fromPartyId"`
	ToPartyID     string             `json:"toPartyId"`
	AssociationID string             `json:"associationId"`
	EffectiveFrom instant            `json:"effectiveFrom"`
	Status        crm.TransferStatus `json:"status"`
	Version       string             `json:"version"`
	UpdatedAt     instant            `json:"updatedAt"`
}

// transferVehicle is D-24.
func (d *door) transferVehicle(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	from, err := d.customer(ctx, r.Var("customerId", "input.fromPartyId"))
	if err != nil {
		return nil, err
	}
	id := globalID("veh", r.Var("vehicleId", "id"))
	to, err := d.recipient(ctx, r)
	if err != nil {
		return nil, err
	}
	done, err := d.store.TransferVehicle(ctx, id, crm.VehicleTransfer{
		FromPartyID: &from, ToPartyID: to,
		EffectiveAt: r.Body.Time("input.effectiveAt", "effectiveDate"),
		Reason:      r.Body.Text("input.reason", "reason"),
	}, write(r))
	if err != nil {
		return nil, err
	}
	return rest.OK(&transfer{
		VehicleID: done.Vehicle.ID.String(), FromPartyID: bare(from), ToPartyID: done.Association.PartyID.String(),
		AssociationID: done.Association.ID.String(), EffectiveFrom: instant(done.Association.EffectiveFrom), Status: done.Status,
		Version: version(done.Vehicle.Revision), UpdatedAt: instant(done.Vehicle.UpdatedAt),
	}), nil
}

// recipient is the id of the party that gets a vehicle: its UUID, or its number as a customer, which
// may be a JSON number. Errors: Unavailable.
func (d *door) recipient(ctx context.Context, r *rest.Request) (string, error) {
	path, v, ok := r.Body.Value("input.toPartyId", "toCustomerId", "toPartyId")
	switch {
	case !ok || v.Kind == rest.String && strings.TrimSpace(v.Text) == "":
		r.Refuse("", path, "a value is required")
	case v.Kind != rest.String && (v.Kind != rest.Number || strings.ContainsAny(v.Text, ".eE")):
		r.Refuse("", path, "a text or a whole number is needed")
	default:
		return d.customer(ctx, v.Text)
	}
	return nobody("pty", ""), nil
}

// storedVehicle is what a conflict shows of a vehicle.
func storedVehicle(ctx context.Context, row *crm.Vehicle) (*stored, error) {
	shown, err := vehicleWithOwner(ctx, row)
	if err != nil {
		return nil, err
	}
	shown.Owner = nil
	by, err := lastActor(ctx, crm.VehicleEvents, row)
	return &stored{row.Revision, shown, shown.UpdatedAt, by}, err
}
