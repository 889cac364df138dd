package durion

import (
	"context"
	"net/http"

	"crmgraph/crm"
	"crmgraph/rest"
)

// customer is the AbstractCustomer (Durion 2). Its VINs come in the order in which the customer got
// the vehicles; those it got at once are in the order they were sent.
type customer struct {
	ID             int64            `json:"id"`
	CustomerNumber string           `json:"customerNumber"`
	FirstName      string           `json:"firstName"`
	LastName       string           `json:"lastName"`
	Email          string           `json:"email,omitempty"`
	PhoneNumber    string           `json:"phoneNumber,omitempty"`
	PrimaryAddress string           `json:"primaryAddress,omitempty"`
	VehicleVINs    []string         `json:"vehicleVins"`
	PartyID        string           `json:"partyId"`
	CustomerType   crm.CustomerType `json:"customerType"`
}

// customerOrder is what customers can be sorted by (Durion D-01).
var customerOrder = sorting[crm.PersonOrderField]{
	fields: map[string]crm.PersonOrderField{"id": crm.PersonsByNumber, "lastName": crm.PersonsByLastName, "createdAt": crm.PersonsByCreatedAt},
	usual:  "id", direction: crm.Asc,
}

// listCustomers is D-01.
func (d *door) listCustomers(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	asked := pagingOf(r, r.Query, customerOrder)
	found, err := d.store.PersonsInUse(ctx, crm.Order[crm.PersonOrderField]{Field: asked.Field, Direction: asked.Direction}, asked.slice(d.listCap))
	if err != nil {
		return nil, err
	}
	total, err := found.TotalCount(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := customersOf(ctx, found.Nodes()...)
	if err != nil {
		return nil, err
	}
	return bareList(asked, shown, *total, found.HasNextPage()), nil
}

// createCustomer is D-02.
func (d *door) createCustomer(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	in, _ := customerSent(r)
	return answerCustomer(ctx)(d.store.CreateCustomer(ctx, in, crm.Write{}))
}

// deleteCustomer is D-25.
func (d *door) deleteCustomer(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	id, err := d.person(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err := d.store.DeactivateCustomer(ctx, id, crm.Write{}); err != nil {
		return nil, err
	}
	return rest.NoContent(), nil
}

// getCustomer is D-26.
func (d *door) getCustomer(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	id, err := d.person(ctx, r)
	if err != nil {
		return nil, err
	}
	return answerCustomer(ctx)(d.store.PersonInUse(ctx, id))
}

// updateCustomer is D-27: what is left out is cleared, but for the number, the type and the vehicles.
func (d *door) updateCustomer(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	id, err := d.person(ctx, r)
	if err != nil {
		return nil, err
	}
	whole, hasVINs := customerSent(r)
	in := crm.CustomerUpdate{
		PartyUpdate: crm.PartyUpdate{FirstName: crm.Given(whole.FirstName), LastName: crm.Given(whole.LastName)},
		Email:       crm.Given(whole.Email), Phone: crm.Given(whole.Phone), PrimaryAddress: crm.Given(whole.PrimaryAddress),
		Code: sent(whole.Code), Type: sent(whole.Type), ClaimIfFree: whole.ClaimIfFree, AnyCode: whole.AnyCode,
	}
	if hasVINs {
		in.VehicleVINs = crm.Given(whole.VehicleVINs)
	}
	return answerCustomer(ctx)(d.store.UpdateCustomer(ctx, id, in, crm.Write{}))
}

// customerSent reads an AbstractCustomer. An id in it says nothing. hasVINs tells an empty list of
// vehicles from none.
func customerSent(r *rest.Request) (in crm.CustomerCreate, hasVINs bool) {
	in.ClaimIfFree, in.AnyCode = true, true
	in.Code = r.Body.Filled("input.code", "customerNumber")
	in.FirstName = new(r.Body.Required("input.firstName", "firstName"))
	in.LastName = new(r.Body.Required("input.lastName", "lastName"))
	in.Email = r.Body.Filled("input.email", "email")
	in.Phone = r.Body.Filled("input.phone", "phoneNumber")
	in.PrimaryAddress = r.Body.Text("input.primaryAddress", "primaryAddress")
	in.VehicleVINs, hasVINs = r.Body.Texts("input.vehicleVins", "vehicleVins")
	in.Type = rest.Word[crm.CustomerType](r.Body, "input.type", "customerType")
	return in, hasVINs
}

// answerCustomer answers with the customer that an operation returned.
func answerCustomer(ctx context.Context) func(*crm.Customer, error) (*rest.Response, error) {
	return func(row *crm.Customer, err error) (*rest.Response, error) {
		if err != nil {
			return nil, err
		}
		shown, err := customersOf(ctx, row)
		switch {
		case err != nil:
			return nil, err
		case len(shown) == 0:
			return nil, &rest.Fault{Status: http.StatusNotFound, Message: "the customer is gone"}
		default:
			return rest.OK(shown[0]), nil
		}
	}
}

// allOwned is the page of all that one customer owns: of at most 500 VINs each time that they are
// sent, with what was added one by one and what came with merges.
var allOwned = crm.NewSlice(10_000, 0)

// customersOf shows customers, in a number of statements that does not depend on how many there are.
// Those that were erased since they were read are left out.
func customersOf(ctx context.Context, rows ...*crm.Customer) ([]*customer, error) {
	crm.Prefetch(ctx, "Customer", rows, crm.Plan{
		{Field: "party", Next: crm.Plan{{Field: "contactPoints", Page: crm.WholeList()}}},
		{Field: "ownerships", Page: allOwned, Next: crm.Plan{{Field: "vehicle"}}},
	})
	list := make([]*customer, 0, len(rows))
	for _, row := range rows {
		party, err := crm.CustomerParty.Load(ctx, row)
		if err != nil {
			return nil, err
		}
		if party == nil {
			continue
		}
		shown, err := customerOf(ctx, row, party)
		if err != nil {
			return nil, err
		}
		list = append(list, shown)
	}
	return list, nil
}

func customerOf(ctx context.Context, row *crm.Customer, party *crm.Party) (shown *customer, err error) {
	shown = &customer{
		ID: row.Number, CustomerNumber: row.Code, FirstName: text(party.FirstName), LastName: text(party.LastName),
		PrimaryAddress: text(row.PrimaryAddress), VehicleVINs: []string{}, PartyID: party.ID.String(), CustomerType: row.Type,
	}
	if shown.Email, shown.PhoneNumber, err = reach(ctx, party, primary); err != nil {
		return nil, err
	}
	owned, err := crm.CustomerOwnerships.Load(ctx, row, allOwned)
	if err != nil {
		return nil, err
	}
	for _, o := range owned.Nodes() {
		vehicle, err := crm.AssociationVehicle.Load(ctx, o)
		if err != nil {
			return nil, err
		}
		if vehicle.VINNormalised != nil {
			shown.VehicleVINs = append(shown.VehicleVINs, *vehicle.VINNormalised)
		}
	}
	return shown, nil
}
