package durion

import (
	"net/http"

	"crmgraph/crm"
	"crmgraph/rest"
)

// Routes is the table of the contract, in the order of its own numbering; it is for documentation
// and tests.
func Routes() []rest.Route { return (&door{}).routes(false) }

// routes is the table of the contract (Durion 2, permissions 1.7). PartyView is among what most
// routes include because PARTY_MERGED tells the survivor's number.
func (d *door) routes(literalStubs bool) []rest.Route {
	table := []rest.Route{
		{
			ID: "D-01", Operation: "listCustomers", Method: http.MethodGet, Path: "/v1/crm", Handle: d.listCustomers,
			Permission: crm.PartyView, Includes: []crm.Permission{crm.VehicleView, crm.AssociationView},
			Graph: "Query.customers", Notes: "The graph lists organisations that are customers as well, and pages by cursor.",
		},
		{
			ID: "D-02", Operation: "createCustomer", Method: http.MethodPost, Path: "/v1/crm", Handle: d.createCustomer,
			Permission: crm.PartyCreate, Includes: []crm.Permission{crm.PartyView, crm.VehicleCreate, crm.VehicleView, crm.AssociationView},
			Graph: "Mutation.customerCreate", Notes: "An e-mail address that another customer has is kept here and refused there.",
		},
		{
			ID: "D-03", Operation: "createCommercialAccount", Method: http.MethodPost, Path: "/v1/crm/accounts/parties", Handle: d.createAccount,
			Permission: crm.PartyCreate, Includes: []crm.Permission{crm.PartyView}, Graph: "Mutation.partyCreateOrganization",
			Notes: "The graph takes the id of billing terms, and the duplicates come beside the user errors.",
		},
		{
			ID: "D-04", Operation: "searchParties", Method: http.MethodPost, Path: "/v1/crm/accounts/parties/search", Handle: d.searchParties,
			Permission: crm.PartySearch, Includes: []crm.Permission{crm.PartyView}, Graph: "Query.partySearch",
		},
		{
			ID: "D-05", Operation: "getParty", Method: http.MethodGet, Path: "/v1/crm/accounts/parties/{partyId}", Handle: d.getParty,
			Permission: crm.PartyView, Graph: "Query.party", Notes: "The graph shows merged and deactivated parties, with their status.",
		},
		{
			ID: "D-06", Operation: "getCommunicationPreferences", Method: http.MethodGet,
			Path: "/v1/crm/accounts/parties/{partyId}/communicationPreferences", Handle: d.getPreferences,
			Permission: crm.PreferenceView, Includes: []crm.Permission{crm.PartyView}, Graph: "Party.communicationPreferences",
			Notes: "A consent flag is a consent: true is GRANTED, false DENIED or WITHDRAWN, and emailMarketing is email_marketing.",
		},
		{
			ID: "D-07", Operation: "updateCommunicationPreferences", Method: http.MethodPost,
			Path: "/v1/crm/accounts/parties/{partyId}/communicationPreferences", Handle: d.setPreferences,
			Permission: crm.PreferenceEdit, Includes: []crm.Permission{crm.PreferenceView, crm.PartyView}, Graph: "Mutation.communicationPreferencesSet",
		},
		{
			ID: "D-08", Operation: "listContacts", Method: http.MethodGet, Path: "/v1/crm/accounts/parties/{partyId}/contacts", Handle: d.listContacts,
			Permission: crm.ContactView, Includes: []crm.Permission{crm.PartyView, crm.ContactRoleView}, Graph: "Party.contacts",
			Notes: "A contactId is the id of the person; the graph's Contact is the person's engagement.",
		},
		{
			ID: "D-09", Operation: "updateContactRoles", Method: http.MethodPut, Path: "/v1/crm/accounts/parties/{partyId}/contacts/{contactId}/roles",
			Handle: d.setContactRoles, Permission: crm.ContactRoleAssign,
			Includes: []crm.Permission{crm.ContactView, crm.ContactRoleView, crm.PartyView, crm.EventView}, Graph: "Mutation.contactRolesSet",
		},
		{
			ID: "D-10", Operation: "mergeParties", Method: http.MethodPost, Path: "/v1/crm/accounts/parties/{partyId}/merge", Handle: d.mergeParties,
			Permission: crm.PartyMerge, Includes: []crm.Permission{crm.PartyView}, Graph: "Mutation.partyMerge",
			Notes: "The graph can tell beforehand what a merge would do: partyMergePreview.",
		},
		{
			ID: "D-11", Operation: "createVehicleForParty", Method: http.MethodPost, Path: "/v1/crm/accounts/parties/{partyId}/vehicles",
			Handle: d.createVehicleForParty, Permission: crm.VehicleCreate, Includes: []crm.Permission{crm.PartyView}, Graph: "Mutation.vehicleCreate",
		},
		{
			ID: "D-12", Operation: "resolveAccountTier", Method: http.MethodPost, Path: "/v1/crm/accounts/tierResolve", Handle: d.resolveTier,
			Permission: crm.PartyView, Graph: "Mutation.tierResolve",
		},
		{
			ID: "D-13", Operation: "getAccountTier", Method: http.MethodGet, Path: "/v1/crm/accounts/{accountId}/tier", Handle: d.getTier,
			Permission: crm.PartyView, Graph: "Party.tier",
		},
		{
			ID: "D-14", Operation: "getCommunicationPreferencesOfParty", Method: http.MethodGet,
			Path: "/v1/crm/parties/{partyId}/communicationPreferences", Handle: d.getPreferences,
			Permission: crm.PreferenceView, Includes: []crm.Permission{crm.PartyView}, Graph: "Party.communicationPreferences", Notes: "As D-06.",
		},
		{
			ID: "D-15", Operation: "updateCommunicationPreferencesOfParty", Method: http.MethodPost,
			Path: "/v1/crm/parties/{partyId}/communicationPreferences", Handle: d.setPreferences,
			Permission: crm.PreferenceEdit, Includes: []crm.Permission{crm.PreferenceView, crm.PartyView},
			Graph: "Mutation.communicationPreferencesSet", Notes: "As D-07.",
		},
		{
			ID: "D-16", Operation: "listContactsOfParty", Method: http.MethodGet, Path: "/v1/crm/parties/{partyId}/contacts", Handle: d.listContacts,
			Permission: crm.ContactView, Includes: []crm.Permission{crm.PartyView, crm.ContactRoleView}, Graph: "Party.contacts", Notes: "As D-08.",
		},
		{
			ID: "D-17", Operation: "updateContactRolesOfParty", Method: http.MethodPut, Path: "/v1/crm/parties/{partyId}/contacts/{contactId}/roles",
			Handle: d.setContactRoles, Permission: crm.ContactRoleAssign,
			Includes: []crm.Permission{crm.ContactView, crm.ContactRoleView, crm.PartyView, crm.EventView}, Graph: "Mutation.contactRolesSet", Notes: "As D-09.",
		},
		{
			ID: "D-18", Operation: "searchVehicles", Method: http.MethodGet, Path: "/v1/crm/vehicles", Handle: d.searchVehicles,
			Permission: crm.VehicleSearch, Includes: []crm.Permission{crm.VehicleView, crm.AssociationView, crm.PartyView}, Graph: "Query.vehicleSearch",
		},
		{
			ID: "D-19", Operation: "getVehicle", Method: http.MethodGet, Path: "/v1/crm/vehicles/{vehicleId}", Handle: d.getVehicle,
			Permission: crm.VehicleView, Includes: []crm.Permission{crm.AssociationView, crm.PartyView}, Graph: "Query.vehicle",
			Notes: "The graph shows deactivated vehicles, with their status.",
		},
		{
			ID: "D-20", Operation: "createVehicleForCustomer", Method: http.MethodPost, Path: "/v1/crm/{customerId}/vehicles", Handle: d.createVehicleForCustomer,
			Permission: crm.VehicleCreate, Includes: []crm.Permission{crm.PartyView}, Graph: "Mutation.vehicleCreate",
		},
		{
			ID: "D-21", Operation: "updateVehicleOfCustomer", Method: http.MethodPut, Path: "/v1/crm/{customerId}/vehicles", Handle: d.updateVehicle,
			Permission: crm.VehicleEdit, Includes: []crm.Permission{crm.VehicleView, crm.AssociationView, crm.PartyView, crm.EventView},
			Graph: "Mutation.vehicleUpdate", Notes: "The graph does not ask whose vehicle it is.",
		},
		{
			ID: "D-22", Operation: "deleteVehicleOfCustomer", Method: http.MethodDelete, Path: "/v1/crm/{customerId}/vehicles/{vehicleId}",
			Handle: d.deleteVehicle, Permission: crm.VehicleDeactivate, Includes: []crm.Permission{crm.PartyView}, Graph: "Mutation.vehicleDeactivate",
		},
		{
			ID: "D-23", Operation: "getVehicleOfCustomer", Method: http.MethodGet, Path: "/v1/crm/{customerId}/vehicles/{vehicleId}",
			Handle: d.getVehicleOfCustomer, Permission: crm.VehicleView, Includes: []crm.Permission{crm.AssociationView, crm.PartyView}, Graph: "Query.vehicle",
		},
		{
			ID: "D-24", Operation: "transferVehicle", Method: http.MethodPut, Path: "/v1/crm/{customerId}/vehicles/{vehicleId}/transfer",
			Handle: d.transferVehicle, Permission: crm.AssociationEdit,
			Includes: []crm.Permission{crm.VehicleView, crm.AssociationView, crm.PartyView, crm.EventView}, Graph: "Mutation.vehicleTransfer",
		},
		{
			ID: "D-25", Operation: "deleteCustomer", Method: http.MethodDelete, Path: "/v1/crm/{id}", Handle: d.deleteCustomer,
			Permission: crm.PartyDeactivate, Includes: []crm.Permission{crm.PartyView}, Graph: "Mutation.customerDeactivate",
			Notes: "The graph still shows what was deactivated; customerErase deletes.",
		},
		{
			ID: "D-26", Operation: "getCustomer", Method: http.MethodGet, Path: "/v1/crm/{id}", Handle: d.getCustomer,
			Permission: crm.PartyView, Includes: []crm.Permission{crm.VehicleView, crm.AssociationView}, Graph: "Query.customer",
		},
		{
			ID: "D-27", Operation: "updateCustomer", Method: http.MethodPut, Path: "/v1/crm/{id}", Handle: d.updateCustomer, Permission: crm.PartyEdit,
			Includes: []crm.Permission{crm.PartyView, crm.VehicleCreate, crm.VehicleView, crm.AssociationView, crm.AssociationEdit},
			Graph:    "Mutation.customerUpdate", Notes: "The graph changes what is given and asks for the revision; this replaces everything.",
		},
		{
			ID: "D-28", Operation: "listRegistryVehicles", Method: http.MethodGet, Path: "/v1/vehicles", Handle: d.listRegistry,
			Permission: crm.VehicleView, Includes: []crm.Permission{crm.VehicleSearch}, Graph: "Query.vehicleSearch",
			Notes: "The id of the registry is the number of the vehicle.",
		},
		{
			ID: "D-29", Operation: "createRegistryVehicle", Method: http.MethodPost, Path: "/v1/vehicles", Handle: d.createRegistered,
			Permission: crm.VehicleCreate, Graph: "Mutation.vehicleRegister",
		},
		{
			ID: "D-30", Operation: "getRegistryVehicle", Method: http.MethodGet, Path: "/v1/vehicles/{id}", Handle: d.getRegistered,
			Permission: crm.VehicleView, Graph: "Query.vehicle",
		},
		{
			ID: "D-31", Operation: "updateRegistryVehicle", Method: http.MethodPut, Path: "/v1/vehicles/{id}", Handle: d.updateRegistered,
			Permission: crm.VehicleEdit, Graph: "Mutation.vehicleUpdate",
		},
		{
			ID: "D-32", Operation: "deleteRegistryVehicle", Method: http.MethodDelete, Path: "/v1/vehicles/{id}", Handle: d.deleteRegistered,
			Permission: crm.VehicleDeactivate, Graph: "Mutation.vehicleDeactivate",
		},
		{
			ID: "D-33", Operation: "getRegistryVehicleByVin", Method: http.MethodGet, Path: "/v1/vehicles/vin/{vin}", Handle: d.getRegistered,
			Permission: crm.VehicleView, Graph: "Query.vehicle",
		},
		{
			ID: "D-34", Operation: "updateRegistryVehicleByVin", Method: http.MethodPut, Path: "/v1/vehicles/vin/{vin}", Handle: d.updateRegisteredByVIN,
			Permission: crm.VehicleEdit, Graph: "Mutation.vehicleUpdate",
		},
		{
			ID: "D-35", Operation: "deleteRegistryVehicleByVin", Method: http.MethodDelete, Path: "/v1/vehicles/vin/{vin}", Handle: d.deleteRegistered,
			Permission: crm.VehicleDeactivate, Graph: "Mutation.vehicleDeactivate",
		},
		{
			ID: "D-36", Operation: "createRegistryVehicleByVin", Method: http.MethodPost, Path: "/v1/vehicles/vin", Handle: d.createRegistered,
			Permission: crm.VehicleCreate, Graph: "Mutation.vehicleRegister", Notes: "As D-29.",
		},
	}
	for i := range table {
		table[i].Unserved = literalStubs && stub(table[i].ID)
	}
	return table
}

// stub reports the operations that the contract lists as stubs (Durion 1.8).
func stub(id string) bool { return "D-12" <= id && id <= "D-24" }
