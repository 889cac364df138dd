package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// table finds routes. net/http's own multiplexer refuses contracts of which two paths overlap
// without one being the more special; here a literal goes before a variable, segment by segment from
// the left.
type table map[int][]*shape // by the number of segments, the more literal ones first

// shape is a documented path with its methods.
type shape struct {
	segments []segment
	methods  []string // sorted
	routes   map[string]*Route
}

type segment struct {
	text     string // the literal, or the variable's name
	variable bool
}

// variable is one variable of a path with its value.
type variable struct{ name, value string }

func newTable(routes []Route) table {
	t := table{}
	byPath := map[string]*shape{}
	for i := range routes {
		route := &routes[i]
		s := byPath[route.Path]
		if s == nil {
			s = &shape{segments: segmentsOf(route.Path), routes: map[string]*Route{}}
			byPath[route.Path] = s
			t[len(s.segments)] = append(t[len(s.segments)], s)
		}
		if s.routes[route.Method] != nil {
			panic("two routes are " + route.Method + " " + route.Path)
		}
		s.routes[route.Method] = route
		s.methods = append(s.methods, route.Method)
		slices.Sort(s.methods)
	}
	for _, shapes := range t {
		slices.SortStableFunc(shapes, func(a, b *shape) int { return strings.Compare(a.rank(), b.rank()) })
	}
	return t
}

// rank sorts literals before variables, the leftmost first.
func (s *shape) rank() string {
	rank := make([]byte, len(s.segments))
	for i, seg := range s.segments {
		rank[i] = 'a'
		if seg.variable {
			rank[i] = 'b'
		}
	}
	return string(rank)
}

func segmentsOf(path string) []segment {
	var segments []segment
	for text := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		name, variable := strings.CutPrefix(text, "{")
		segments = append(segments, segment{strings.TrimSuffix(name, "}"), variable})
	}
	return segments
}

// find sets the request's route and variables. The method decides among the shapes that fit the
// path: the most literal one that has it. A path that fits no shape is not found; a method that none
// has is not allowed, and the most literal shape says which are. Errors: Fault.
func (t table) find(r *Request) error {
	notFound := &Fault{Status: http.StatusNotFound, Message: "there is no such path"}
	escaped := r.HTTP.URL.EscapedPath()
	parts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil || text == "" {
			return notFound
		}
		parts[i] = text
	}
	var best *shape
	for _, s := range t[len(parts)] {
		if !s.fits(parts) {
			continue
		}
		if best == nil {
			best = s
		}
		if route := s.routes[r.HTTP.Method]; route != nil {
			r.Route, r.vars = route, s.variables(parts)
			return nil
		}
	}
	if best == nil {
		return notFound
	}
	return &Fault{Status: http.StatusMethodNotAllowed, Message: "this path does not have the method", Allow: best.methods}
}

func (s *shape) fits(parts []string) bool {
	for i, seg := range s.segments {
		if !seg.variable && seg.text != parts[i] {
			return false
		}
	}
	return true
}

func (s *shape) variables(parts []string) []variable {
	var vars []variable
	for i, seg := range s.segments {
		if seg.variable {
			vars = append(vars, variable{seg.text, parts[i]})
		}
	}
	return vars
}
