package crm

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// EventType says what happened.
type EventType string

// The events of the core.
const (
	PartyCreated                    EventType = "PARTY_CREATED"
	PartyUpdated                    EventType = "PARTY_UPDATED"
	PartyStatusChanged              EventType = "PARTY_STATUS_CHANGED"
	PartyParentChanged              EventType = "PARTY_PARENT_CHANGED"
	PartyDeactivated                EventType = "PARTY_DEACTIVATED"
	PartyWasMerged                  EventType = "PARTY_MERGED"
	PartyAbsorbed                   EventType = "PARTY_ABSORBED"
	DuplicateOverridden             EventType = "DUPLICATE_OVERRIDDEN"
	CustomerCreated                 EventType = "CUSTOMER_CREATED"
	CustomerUpdated                 EventType = "CUSTOMER_UPDATED"
	CustomerWasAnonymized           EventType = "CUSTOMER_ANONYMIZED"
	CustomerErased                  EventType = "CUSTOMER_ERASED"
	AccountUpdated                  EventType = "ACCOUNT_UPDATED"
	AccountTierChanged              EventType = "ACCOUNT_TIER_CHANGED"
	ContactCreated                  EventType = "CONTACT_CREATED"
	ContactUpdated                  EventType = "CONTACT_UPDATED"
	ContactDeactivated              EventType = "CONTACT_DEACTIVATED"
	ContactReactivated              EventType = "CONTACT_REACTIVATED"
	ContactRolesUpdated             EventType = "CONTACT_ROLES_UPDATED"
	CommunicationPreferencesUpdated EventType = "COMMUNICATION_PREFERENCES_UPDATED"
	VehicleCreated                  EventType = "VEHICLE_CREATE"
	VehicleUpdated                  EventType = "VEHICLE_UPDATE"
	VehicleDeactivated              EventType = "VEHICLE_DEACTIVATE"
	VehicleOwnerAssociated          EventType = "VEHICLE_OWNER_ASSOCIATED"
	VehicleReleased                 EventType = "VEHICLE_RELEASED"
	VehicleOwnerReassigned          EventType = "VEHICLE_OWNER_REASSIGNED"
	VehicleDriverAssigned           EventType = "VEHICLE_PRIMARY_DRIVER_ASSIGNED"
	WarrantyRegistered              EventType = "WARRANTY_REGISTERED"
	WarrantyUpdated                 EventType = "WARRANTY_UPDATED"
	WarrantyStatusChanged           EventType = "WARRANTY_STATUS_CHANGED"
	WarrantyTransferred             EventType = "WARRANTY_TRANSFERRED"
	LoyaltyPolicyWasSet             EventType = "LOYALTY_POLICY_SET"
	LoyaltyPointsEarned             EventType = "LOYALTY_POINTS_EARNED"
	LoyaltyPointsRedeemed           EventType = "LOYALTY_POINTS_REDEEMED"
	LoyaltyPointsAdjusted           EventType = "LOYALTY_POINTS_ADJUSTED"
	LoyaltyPointsReversed           EventType = "LOYALTY_POINTS_REVERSED"
	LoyaltyPointsRestored           EventType = "LOYALTY_POINTS_RESTORED"
	LoyaltyPointsExpired            EventType = "LOYALTY_POINTS_EXPIRED"
	LoyaltyPointsTransferred        EventType = "LOYALTY_POINTS_TRANSFERRED"
	LoyaltyBalanceCorrected         EventType = "LOYALTY_BALANCE_CORRECTED"
	AccountStatusChanged            EventType = "ACCOUNT_STATUS_CHANGED"
	CreditConsumed                  EventType = "CREDIT_CONSUMED"
	CreditReleased                  EventType = "CREDIT_RELEASED"
	CreditChanged                   EventType = "CREDIT_CHANGED"
	CreditTransferred               EventType = "CREDIT_TRANSFERRED"
	GiftCardIssued                  EventType = "GIFT_CARD_ISSUED"
	GiftCardRedeemed                EventType = "GIFT_CARD_REDEEMED"
	GiftCardExpiryNoticed           EventType = "GIFT_CARD_EXPIRED"
	GiftCardVoided                  EventType = "GIFT_CARD_VOIDED"
	RoleCreated                     EventType = "ROLE_CREATED"
	RoleUpdated                     EventType = "ROLE_UPDATED"
	BillingTermsCreated             EventType = "BILLING_TERMS_CREATED"
	BillingTermsUpdated             EventType = "BILLING_TERMS_UPDATED"
	TenantSettingsUpdated           EventType = "TENANT_SETTINGS_UPDATED"
)

// Event is one thing that happened to one record. Events are never changed and outlive their
// records; they hold no values of
// records. Reasons are kept as people wrote them.
type Event struct {
	bun.BaseModel `bun:"table:event"`
	Row

	Sequence       int64           `bun:"sequence,autoincrement"` // ascending, with gaps
	Type           EventType       `bun:"type"`
	RecordType     string          `bun:"record_type"` // as in the schema
	RecordID       uuid.UUID       `bun:"record_id"`
	Actor          string          `bun:"actor"` // the subject of the access token
	CorrelationID  *string         `bun:"correlation_id"`
	Reason         *string         `bun:"reason"`
	SourceRefs     []*SourceRef    `bun:"source_refs"`
	RevisionBefore *int64          `bun:"revision_before"` // nil when it made the record
	RevisionAfter  *int64          `bun:"revision_after"`  // nil when it ended the record
	ChangedFields  []string        `bun:"changed_fields"`
	Details        json.RawMessage `bun:"details,type:jsonb"` // a JSON object
	OccurredAt     time.Time       `bun:"occurred_at"`
}

// Events is the type in the catalogue.
var Events = newType[Event]("Event", "evt", EventView, nil).filterable(map[string]Path{
	"type":       column("type"),
	"occurredAt": column("occurred_at"),
	"record":     {Column: db.Column{SQL: "t.record_id"}, anyPrefix: true},
})

// The events of records, newest first. Party, customer and account are one thing with one
// history.
var (
	PartyEvents    = eventsOf(Parties)
	CustomerEvents = eventsOf(Customers)
	AccountEvents  = eventsOf(Accounts)
	ContactEvents  = eventsOf(Contacts)
	VehicleEvents  = eventsOf(Vehicles)
	WarrantyEvents = eventsOf(Warranties)
)

func eventsOf[P any](from *Record[P]) *Paged[P, Event] {
	return paged(from, "events", Events, source{key: "t.record_id"}, Events.orderBy("-sequence"), "id")
}

// IsNode marks the type.
func (*Event) IsNode() {}

// NodeID is the global id.
func (e *Event) NodeID() string { return Events.nodeID(e.ID) }

// Record is the global id of what it happened to, which may be gone.
func (e *Event) Record() string {
	for _, t := range catalogue.types {
		if t.title() == e.RecordType {
			return t.nodeID(e.RecordID)
		}
	}
	return ""
}

// EventBy selects one event; exactly one field is set.
type EventBy struct {
	ID *string
}

// EventWhere filters events.
type EventWhere struct {
	And, Or    []*EventWhere
	Not        *EventWhere
	ID         *IDFilter
	Type       *EnumFilter[EventType]
	Record     *IDFilter
	OccurredAt *DateTimeFilter
}

// EventOrderField is what events can be sorted by.
type EventOrderField string

var eventOrder = sortable(Events, map[EventOrderField]string{"SEQUENCE": "sequence"})

// Event returns the event that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) Event(ctx context.Context, by EventBy) (*Event, error) {
	return Events.lookup(ctx, by, "t.id")
}

// Events returns a page of the tenant's events.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Events(ctx context.Context, where *EventWhere, orderBy []*Order[EventOrderField], page Page) (*Connection[Event], error) {
	return list(ctx, Events, where, eventOrder, orderBy, page)
}

// event queues an event: it adds who, when and why. details hold ids, codes and counts only.
func (c *change) event(e Event, details map[string]any) {
	e.Details = json.RawMessage("{}")
	if text, err := json.Marshal(details); err == nil && details != nil {
		e.Details = text
	}
	e.Actor, e.CorrelationID, e.OccurredAt = c.actor, c.correlation, c.now
	e.Reason, e.SourceRefs = c.why()
	insert(c, Events, &e)
}

// why is what the caller says of the reason for the change.
func (c *change) why() (reason *string, refs []*SourceRef) {
	if a := c.write.Audit; a != nil {
		return a.Reason, a.SourceRefs
	}
	return nil, nil
}

// made queues the event of a new row.
func made[T any](c *change, kind EventType, t *Record[T], row *T, details map[string]any) {
	id, revision := t.identity(row)
	c.event(Event{Type: kind, RecordType: t.name, RecordID: id, RevisionAfter: revision}, details)
}

// altered queues the event of a row that update wrote.
func altered[T any](c *change, kind EventType, t *Record[T], row *T, fields []string, details map[string]any) {
	id, after := t.identity(row)
	var before *int64
	if was, ok := c.before[row].(*T); ok {
		_, before = t.identity(was)
	}
	c.event(Event{Type: kind, RecordType: t.name, RecordID: id, RevisionBefore: before, RevisionAfter: after, ChangedFields: fields}, details)
	remember(c, row) // what comes after changes it from here
}
