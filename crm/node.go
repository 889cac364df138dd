package crm

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// maxNodes bounds the ids of one call of NodesByIDs.
const maxNodes = 100

// nodeType is what finding by global id needs of a type.
type nodeType interface {
	nodesByIDs(s *session, ids []uuid.UUID) (statement, func() map[uuid.UUID]Node)
	permission() Permission
	title() string
	idPrefix() string
	nodeID(id uuid.UUID) string
	layout() *shape
}

func (t *Record[T]) permission() Permission { return t.view }
func (t *Record[T]) title() string          { return t.name }
func (t *Record[T]) idPrefix() string       { return t.prefix }
func (t *Record[T]) layout() *shape         { return &t.shape }

func (t *Record[T]) nodesByIDs(s *session, ids []uuid.UUID) (statement, func() map[uuid.UUID]Node) {
	st, found := t.rowsOf(s, t.byIDs, ids)
	return st, func() map[uuid.UUID]Node {
		nodes := make(map[uuid.UUID]Node, len(found))
		for id, row := range found {
			t.remember(s, id, row)
			nodes[id] = any(row).(Node)
		}
		return nodes
	}
}

// NodesByIDs returns the records with the given global ids, in their order, with nil for
// an id that names nothing in the tenant. Records of one type take one statement.
// In a context of [WithReader] the rows go to the reader, and it returns nothing.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) NodesByIDs(ctx context.Context, ids []string) ([]Node, error) {
	s, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) > maxNodes {
		return nil, invalidf("ids", "at most %d ids may be asked for at once, %d are given", maxNodes, len(ids))
	}
	rows, prefixes := make([]uuid.UUID, len(ids)), make([]string, len(ids))
	for i, text := range ids {
		prefix, id, ok := ParseID(text)
		if !ok {
			return nil, invalidf(fmt.Sprintf("ids[%d]", i), "ids[%d] is not an id of this graph", i)
		}
		if _, err := authorize(ctx, catalogue.types[prefix].permission()); err != nil {
			return nil, err
		}
		rows[i], prefixes[i] = id, prefix
	}
	if r := readerOf(ctx); r != nil {
		if read, err := r.nodes(ctx, s, prefixes, rows); read || err != nil {
			return nil, err
		}
	}
	byType := map[string][]uuid.UUID{}
	for i, prefix := range prefixes {
		byType[prefix] = append(byType[prefix], rows[i])
	}
	var statements []statement
	collect := map[string]func() map[uuid.UUID]Node{}
	for prefix, ids := range byType {
		st, nodes := catalogue.types[prefix].nodesByIDs(s, ids)
		statements = append(statements, st)
		collect[prefix] = nodes
	}
	if err := s.send(ctx, statements...); err != nil {
		return nil, err
	}
	found := map[string]map[uuid.UUID]Node{}
	for prefix, nodes := range collect {
		found[prefix] = nodes()
	}
	nodes := make([]Node, len(ids))
	for i, prefix := range prefixes {
		nodes[i] = found[prefix][rows[i]]
	}
	return nodes, nil
}

// NodeByID returns the record with a global id; to a reader nothing at all, and no NotFound.
// Errors: as NodesByIDs, and NotFound.
func (st *Store) NodeByID(ctx context.Context, id string) (Node, error) {
	if _, _, ok := ParseID(id); !ok {
		return nil, invalidf("id", "id is not an id of this graph")
	}
	nodes, err := st.NodesByIDs(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if nodes == nil { // a reader took it
		return nil, nil //nolint:nilnil // see above
	}
	if nodes[0] == nil {
		return nil, notFoundf("nothing has this id")
	}
	return nodes[0], nil
}

// typeNamed finds a type of the catalogue by its name in the schema.
func typeNamed(name string) (nodeType, bool) {
	for _, t := range catalogue.types {
		if t.title() == name {
			return t, true
		}
	}
	return nil, false
}

// MayView reports whether the caller may see records of a type of the schema.
func MayView(ctx context.Context, typeName string) bool {
	t, ok := typeNamed(typeName)
	if !ok {
		return false
	}
	_, err := authorize(ctx, t.permission())
	return err == nil
}

// MayViewID is MayView for the record with a global id.
func MayViewID(ctx context.Context, id string) bool {
	prefix, _, ok := ParseID(id)
	return ok && MayView(ctx, catalogue.types[prefix].title())
}
