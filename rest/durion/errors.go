package durion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"crmgraph/crm"
	"crmgraph/rest"
)

// errorBody is what every answer but a good one says (Durion 1.4).
type errorBody struct {
	Code          string       `json:"code"`
	Message       string       `json:"message"`
	CorrelationID string       `json:"correlationId"`
	Timestamp     instant      `json:"timestamp"`
	FieldErrors   []fieldError `json:"fieldErrors"`

	// What some conflicts add (Durion 1.5).

	Candidates         []duplicateCandidate `json:"candidates,omitempty"`
	ExistingVehicleID  string               `json:"existingVehicleId,omitempty"`
	MergedToPartyID    string               `json:"mergedToPartyId,omitempty"`
	MergedToCustomerID int64                `json:"mergedToCustomerId,omitempty"`
	*staleness
}

// fieldError is one thing that is wrong with the input.
type fieldError struct {
	Field         string          `json:"field"`
	Message       string          `json:"message"`
	RejectedValue json.RawMessage `json:"rejectedValue,omitempty"`
}

// staleness says what is stored in place of the version that was sent (Durion 3.7).
type staleness struct {
	CurrentVersion   string  `json:"currentVersion"`
	SubmittedVersion string  `json:"submittedVersion"`
	CurrentData      any     `json:"currentData"`
	LastUpdatedAt    instant `json:"lastUpdatedAt"`
	LastUpdatedBy    string  `json:"lastUpdatedBy"`
	GapWarning       bool    `json:"gapWarning,omitempty"` // the client is more than one version behind
}

// outcome is the status and the code of an error.
type outcome struct {
	status int
	code   string
}

var (
	invalid     = outcome{http.StatusBadRequest, "VALIDATION_ERROR"}
	notFound    = outcome{http.StatusNotFound, "NOT_FOUND"}
	unknown     = outcome{http.StatusUnauthorized, "UNAUTHORIZED"}
	unavailable = outcome{http.StatusInternalServerError, "INTERNAL_ERROR"}
)

// statuses are the codes of errors of the protocol.
var statuses = map[int]string{
	http.StatusBadRequest: invalid.code, http.StatusForbidden: "FORBIDDEN", http.StatusNotFound: notFound.code,
	http.StatusMethodNotAllowed: "METHOD_NOT_ALLOWED", http.StatusRequestEntityTooLarge: "PAYLOAD_TOO_LARGE",
	http.StatusUnsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE", http.StatusNotImplemented: "NOT_IMPLEMENTED",
}

// codes are the outcomes of the domain's codes.
var codes = map[crm.Code]outcome{
	crm.Invalid: invalid, crm.NotFound: notFound, crm.Stale: {http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT"},
	crm.Forbidden: {http.StatusForbidden, "FORBIDDEN"}, crm.Unauthenticated: unknown,
}

// reasons are the outcomes of the domain's reasons that have one of their own. What is not in use any
// more is not there for this contract, and parties that cannot be merged are a bad merge.
var reasons = map[crm.Reason]outcome{
	crm.BillingEmailRequired:   {http.StatusBadRequest, "BILLING_EMAIL_REQUIRED"},
	crm.InvalidBillingTerms:    {http.StatusBadRequest, "INVALID_BILLING_TERMS"},
	crm.InvalidMerge:           {http.StatusBadRequest, "INVALID_MERGE"},
	crm.CurrencyMismatch:       {http.StatusBadRequest, "INVALID_MERGE"},
	crm.InvalidRoleCode:        {http.StatusBadRequest, "INVALID_ROLE_CODE"},
	crm.QueryTooShort:          {http.StatusBadRequest, "QUERY_TOO_SHORT"},
	crm.VINImmutable:           {http.StatusBadRequest, "VIN_IMMUTABLE"},
	crm.SearchCriteriaRequired: {http.StatusBadRequest, "SEARCH_CRITERIA_REQUIRED"},
	crm.CodeInUse:              {http.StatusConflict, "DUPLICATE_CUSTOMER_NUMBER"},
	crm.DuplicateCandidates:    {http.StatusConflict, "DUPLICATE_CANDIDATES"},
	crm.DuplicateVIN:           {http.StatusConflict, "DUPLICATE_VIN"},
	crm.MergedParty:            {http.StatusConflict, "PARTY_MERGED"},
	crm.InvalidState:           notFound,
}

// present words an error (Durion 1.4, 1.5).
func (d *door) present(ctx context.Context, r *rest.Request, err error) *rest.Response {
	body := errorBody{CorrelationID: d.correlationID(ctx), Timestamp: instant(d.store.Now()), FieldErrors: []fieldError{}}
	header := http.Header{}
	result := unavailable
	if fault, ok := errors.AsType[*rest.Fault](err); ok {
		result = body.fault(fault, header)
	} else if problems := r.Explain(err); len(problems) > 0 {
		result = outcomeOf(problems)
		if result.status == http.StatusBadRequest {
			body.FieldErrors = fieldErrors(problems)
		}
		body.Message = message(problems, body.FieldErrors)
		if result.status == http.StatusConflict {
			d.elaborate(ctx, r, problems[0].Error, &body)
		}
	}
	body.Code = result.code
	switch result {
	case unknown:
		header.Set("WWW-Authenticate", "Bearer")
	case unavailable:
		body.Message = "something went wrong, which is not your fault; try again"
	default:
	}
	return &rest.Response{Status: result.status, Header: header, Body: body}
}

// fault words an error of the protocol.
func (b *errorBody) fault(f *rest.Fault, header http.Header) outcome {
	b.Message = f.Message
	if f.Allow != nil {
		header.Set("Allow", strings.Join(f.Allow, ", "))
	}
	if f.Field != "" {
		b.FieldErrors = []fieldError{{Field: f.Field, Message: f.Message}}
	}
	return outcome{f.Status, statuses[f.Status]}
}

// outcomeOf is the outcome of problems: their common one, else that the input is not valid.
func outcomeOf(problems []rest.Problem) outcome {
	var common outcome
	for i, p := range problems {
		one, ok := reasons[p.Reason]
		if !ok {
			if one, ok = codes[p.Code]; !ok {
				return unavailable
			}
		}
		if i > 0 && one != common {
			return invalid
		}
		common = one
	}
	return common
}

// message is the text of problems. Where no field errors name what was sent, it does.
func message(problems []rest.Problem, fields []fieldError) string {
	first := problems[0]
	switch {
	case len(fields) > 1:
		return "several fields are not as they should be"
	case len(fields) == 1:
		return fields[0].Message
	case first.Raw != nil:
		return first.Path + ": " + first.Message
	default:
		return first.Message
	}
}

func fieldErrors(problems []rest.Problem) []fieldError {
	list := []fieldError{}
	for _, p := range problems {
		if p.Path == "" {
			continue
		}
		e := fieldError{Field: p.Path, Message: p.Message, RejectedValue: p.Raw}
		if p.Path == "taxId" {
			e.RejectedValue = nil
		}
		list = append(list, e)
	}
	return list
}

// elaborate adds what a conflict tells beside its code.
func (d *door) elaborate(ctx context.Context, r *rest.Request, e *crm.Error, body *errorBody) {
	switch {
	case e.Reason == crm.DuplicateCandidates:
		body.Candidates = candidatesOf(r, e.Candidates)
	case e.Reason == crm.DuplicateVIN && r.Caller.Permissions.Has(crm.VehicleView):
		body.ExistingVehicleID = bare(e.Related)
	case e.Reason == crm.MergedParty:
		body.MergedToPartyID = bare(e.Related)
		id := globalID("cus", body.MergedToPartyID)
		if survivor, err := d.store.Customer(ctx, crm.CustomerBy{ID: &id}); err == nil {
			if party, err := crm.CustomerParty.Load(ctx, survivor); err == nil && party.Kind == crm.Individual {
				body.MergedToCustomerID = survivor.Number
			}
		}
	case e.Code == crm.Stale:
		if body.staleness = d.staleness(ctx, r, e); body.staleness != nil {
			body.Message = fmt.Sprintf("the record has changed: its version is %s, not %s", body.CurrentVersion, body.SubmittedVersion)
		}
	default:
	}
}

// staleness says what is stored of the record that a stale version was sent for.
func (d *door) staleness(ctx context.Context, r *rest.Request, e *crm.Error) *staleness {
	var now *stored
	var err error
	switch current := e.Current.(type) {
	case *crm.CommunicationPreferences:
		now, err = storedPreferences(ctx, current)
	case *crm.Contact:
		now, err = storedContact(ctx, current)
	case *crm.Vehicle:
		now, err = storedVehicle(ctx, current)
	default:
	}
	if now == nil || err != nil {
		return nil
	}
	_, sent, _ := r.Body.Value("ifRevision", "version")
	return &staleness{
		CurrentVersion: version(now.revision), SubmittedVersion: sent.Text, CurrentData: now.data,
		LastUpdatedAt: now.at, LastUpdatedBy: now.by, GapWarning: revision(sent) < now.revision-1,
	}
}

// stored is a record as a conflict tells it.
type stored struct {
	revision int64
	data     any
	at       instant
	by       string
}

// lastActor is who made the last of the events of a record.
func lastActor[T any](ctx context.Context, events *crm.Paged[T, crm.Event], record *T) (string, error) {
	last, err := events.Load(ctx, record, crm.NewSlice(1, 0))
	if err != nil || len(last.Nodes()) == 0 {
		return "system", err
	}
	return last.Nodes()[0].Actor, nil
}

// version renders a revision (Durion 3.7).
func version(revision int64) string { return strconv.FormatInt(revision, 10) }

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// write reads the optional version of a change. Every whole number is one; what no record has is
// stale, and the domain knows no versions below 0.
func write(r *rest.Request) crm.Write {
	path, v, ok := r.Body.Value("ifRevision", "version")
	if !ok {
		return crm.Write{}
	}
	if v.Kind != rest.String && v.Kind != rest.Number || !wholeNumber.MatchString(v.Text) {
		r.Refuse("", path, "a version is a whole number, as text")
		return crm.Write{}
	}
	n := revision(v)
	if n < 0 {
		n = math.MaxInt64
	}
	return crm.Write{IfRevision: &n}
}

// revision is the revision that a version stands for, or the nearest one that there can be.
func revision(version rest.Value) int64 {
	n, _ := strconv.ParseInt(version.Text, 10, 64) // beside its error it says the nearest one
	return n
}
