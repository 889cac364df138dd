package planner

import (
	"context"
	"errors"
	"io"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"crmgraph/crm"
)

// errNull says that a field which the schema promises a value for has none.
var errNull = errors.New("a value is missing that the schema promises")

// run is one use of a plan: it makes the answer of a root field from the rows that the field's
// resolver hands over.
type run struct {
	ctx     context.Context //nolint:containedctx // of one root field
	op      *graphql.OperationContext
	plan    *plan
	buf     []byte
	places  []place // of the records that were asked for by id
	asked   bool    // whether the resolver asked what to read
	outcome Outcome // why it had to answer
	done    bool
}

// place is where in buf a record begins and ends; nowhere when both are 0.
type place struct{ start, end int }

var _ crm.Reader = (*run)(nil)

// MarshalGQL implements graphql.Marshaler.
func (r *run) MarshalGQL(w io.Writer) { _, _ = w.Write(r.buf) }

// Selection implements crm.Reader.
func (r *run) Selection(typeName string) (*crm.Selection, []crm.EdgePage) {
	r.asked = true
	record, why := r.record(typeName)
	if record != nil && record.selection.MayRead(r.ctx) {
		if record.fixed != nil {
			return record.selection, record.fixed
		}
		if pages, ok := record.evaluate(r.ctx, r.op); ok {
			return record.selection, pages
		}
	}
	r.outcome = why
	if why.Reason == "" {
		r.outcome.Reason = Refused
	}
	return nil, nil
}

// Leave implements crm.Reader.
func (r *run) Leave() { r.outcome.Reason = Refused }

// record is what is read of the rows of a type, nil with the reason when nothing is.
func (r *run) record(typeName string) (*record, Outcome) {
	if r.plan.record != nil {
		return r.plan.record, Outcome{}
	}
	m := r.plan.recordOf(r.ctx, r.op, typeName)
	return m.record, m.why
}

// One implements crm.Reader.
func (r *run) One(it *crm.Item) error { return writeObject(r, r.plan.record.members, it) }

// List implements crm.Reader.
func (r *run) List(list *crm.List) error { return r.plan.page(r, list) }

// Counts implements crm.Reader.
func (r *run) Counts() bool { return r.plan.counts }

// Nodes implements crm.Reader.
func (r *run) Nodes(n int) { r.places = make([]place, n) }

// Node implements crm.Reader.
func (r *run) Node(at int, it *crm.Item) error {
	start := len(r.buf)
	record, _ := r.record(it.TypeName())
	err := writeObject(r, record.members, it)
	r.places[at] = place{start, len(r.buf)}
	return err
}

// hit is what a search found, with the JSON of its record.
type hit struct {
	of     reflect.Value // a crm.SearchHit, addressable
	record []byte
}

// Hits implements crm.Reader.
func (r *run) Hits(hits []*crm.SearchHit) error {
	records := r.buf
	r.buf = append(make([]byte, 0, 2*len(records)), '[')
	for i, found := range hits {
		at := r.places[i]
		if at.end == 0 { // gone since it was found
			continue
		}
		if len(r.buf) > 1 {
			r.buf = append(r.buf, ',')
		}
		err := writeObject(r, r.plan.hit, hit{of: reflect.ValueOf(found).Elem(), record: records[at.start:at.end]})
		if err != nil {
			return err
		}
	}
	r.buf = append(r.buf, ']')
	r.done = true
	return nil
}

// Done implements crm.Reader.
func (r *run) Done() {
	if r.plan.kind == searchHits { // these are still to come
		return
	}
	r.done = true
	if r.plan.kind != oneNode && r.plan.kind != manyNodes {
		return
	}
	records := r.buf
	r.buf = make([]byte, 0, len(records)+5*len(r.places))
	if r.plan.kind == manyNodes {
		r.buf = append(r.buf, '[')
	}
	for i, at := range r.places {
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		if at.end == 0 {
			r.buf = append(r.buf, "null"...)
		} else {
			r.buf = append(r.buf, records[at.start:at.end]...)
		}
	}
	if r.plan.kind == manyNodes {
		r.buf = append(r.buf, ']')
	}
}

// array writes what each makes of the rows of a list.
func (r *run) array(list *crm.List, each func(*crm.Item) error) error {
	r.buf = append(r.buf, '[')
	for i := range list.Len() {
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		it, err := list.At(i)
		if err != nil {
			return err
		}
		if err := each(it); err != nil {
			return err
		}
	}
	r.buf = append(r.buf, ']')
	return nil
}

// null writes that there is nothing.
func (r *run) null(required bool) error {
	if required {
		return errNull
	}
	r.buf = append(r.buf, "null"...)
	return nil
}
