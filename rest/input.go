package rest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"crmgraph/crm"
)

// Input is an object of named values: the body, an object in it, or the query. Its methods read one
// value each, under the first of its names that was sent, and say by which path the domain knows it;
// so the domain's errors come back under the client's name. A value that is absent or null is nil. One
// of another type than asked for is nil as well, and a problem of the request: the operation that
// the handler calls is refused with it, and with all else that is wrong. So is a value that was sent
// twice, or that cannot be kept. What nobody reads is ignored, whatever it is.
type Input struct {
	request    *Request
	at         string // the path of the object, empty for the body itself
	members    []Member
	textual    bool // numbers and truth values come as text
	unreadable bool // in part
}

// Has reports whether one of the names was sent, be it as null.
func (in *Input) Has(names ...string) bool {
	_, _, times := in.find(names)
	return times > 0
}

// find returns the value of the first name with one, else of the first that was sent, and how often
// it was.
func (in *Input) find(names []string) (path string, v Value, times int) {
	path = joined(in.at, names[0])
	for _, name := range names {
		sent, n := in.named(name)
		if n == 0 || times > 0 && sent.Kind == Null {
			continue
		}
		path, v, times = joined(in.at, name), sent, n
		if v.Kind != Null {
			break
		}
	}
	return path, v, times
}

// named returns the value that was sent under a name, the first that is not null, and how often one was.
func (in *Input) named(name string) (v Value, times int) {
	for _, m := range in.members {
		if m.Name != name {
			continue
		}
		if v.Kind == Null {
			v = m.Value
		}
		times++
	}
	return v, times
}

// Value reads a value of any kind, and remembers it under the domain's path. ok is false for nothing
// and null.
func (in *Input) Value(domain string, names ...string) (path string, v Value, ok bool) {
	path, v, times := in.find(names)
	in.request.fields = append(in.request.fields, field{domain, path, v.Raw})
	switch {
	case in.unreadable:
		in.refuse(wholeBody, "the query string cannot be read")
		return path, v, false
	case times > 1:
		in.refuse(path, "the value is given twice")
		return path, v, false
	case v.flaw != "":
		in.refuse(path, "%s", v.flaw)
		return path, v, false
	}
	return path, v, v.Kind != Null
}

func (in *Input) refuse(path, format string, args ...any) {
	in.request.Refuse("", path, fmt.Sprintf(format, args...))
}

// Text reads a text.
func (in *Input) Text(domain string, names ...string) *string {
	path, v, ok := in.Value(domain, names...)
	if !ok {
		return nil
	}
	if v.Kind != String {
		in.refuse(path, "a text is needed")
		return nil
	}
	return &v.Text
}

// Required reads a text that must be there and not be blank.
func (in *Input) Required(domain string, names ...string) string {
	before := len(in.request.problems)
	text := in.Text(domain, names...)
	if text == nil || strings.TrimSpace(*text) == "" {
		if path, _, _ := in.find(names); len(in.request.problems) == before {
			in.refuse(path, "a value is required")
		}
		return ""
	}
	return *text
}

// Filled reads a text that may be left out but not be blank.
func (in *Input) Filled(domain string, names ...string) *string {
	text := in.Text(domain, names...)
	if text != nil && strings.TrimSpace(*text) == "" {
		path, _, _ := in.find(names)
		in.refuse(path, "a value may be left out but not be blank")
	}
	return text
}

// Int reads a whole number.
func (in *Input) Int(domain string, names ...string) *int {
	path, v, ok := in.Value(domain, names...)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(v.Text)
	if v.Kind != Number && (!in.textual || v.Kind != String) || err != nil {
		in.refuse(path, "a whole number is needed")
		return nil
	}
	return &n
}

// Bool reads true or false.
func (in *Input) Bool(domain string, names ...string) *bool {
	path, v, ok := in.Value(domain, names...)
	if !ok {
		return nil
	}
	truth := v.Text == "true"
	if v.Kind != Bool && (!in.textual || !truth && v.Text != "false") {
		in.refuse(path, "true or false is needed")
		return nil
	}
	return &truth
}

// Time reads an instant, or a day, which stands for its first instant in UTC.
func (in *Input) Time(domain string, names ...string) *time.Time {
	path, v, ok := in.Value(domain, names...)
	if !ok {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, v.Text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, v.Text)
	}
	if v.Kind != String || err != nil {
		in.refuse(path, "an instant such as 2026-03-04T09:15:27.480Z or a day such as 2026-03-04 is needed")
		return nil
	}
	at = at.UTC()
	return &at
}

// Texts reads a list of texts; the domain knows its elements as domain[i]. given tells an empty list
// from none.
func (in *Input) Texts(domain string, names ...string) (list []string, given bool) {
	items, path, given := in.list(domain, names)
	list = make([]string, 0, len(items))
	for i, item := range items {
		at := Indexed(path, i)
		in.request.fields = append(in.request.fields, field{Indexed(domain, i), at, item.Raw})
		switch {
		case item.Kind != String:
			in.refuse(at, "a text is needed")
		case item.flaw != "":
			in.refuse(at, "%s", item.flaw)
		}
		list = append(list, item.Text) // whatever it is, so that the next ones keep their places
	}
	return list, given
}

// Objects reads a list of objects.
func (in *Input) Objects(domain string, names ...string) (list []*Input, given bool) {
	items, path, given := in.list(domain, names)
	for i, item := range items {
		at := Indexed(path, i)
		in.request.fields = append(in.request.fields, field{Indexed(domain, i), at, item.Raw})
		if item.Kind != Object {
			in.refuse(at, "an object is needed")
		}
		list = append(list, &Input{request: in.request, at: at, members: item.Members})
	}
	return list, given
}

func (in *Input) list(domain string, names []string) (items []Value, path string, given bool) {
	path, v, ok := in.Value(domain, names...)
	if ok && v.Kind != List {
		in.refuse(path, "a list is needed")
	}
	if len(v.Items) > maxItems { // one problem, not one for each
		in.refuse(path, "a list has at most %d elements", maxItems)
		v.Items = nil
	}
	return v.Items, path, ok && v.Kind == List
}

// maxItems bounds the elements of a list and the members of an object that are looked at. To read each
// member of an object by its name takes time that grows with the square of their number.
const maxItems = 1000

// Object reads an object, nil when there is none.
func (in *Input) Object(domain string, names ...string) *Input {
	path, v, ok := in.Value(domain, names...)
	if !ok {
		return nil
	}
	if v.Kind != Object {
		in.refuse(path, "an object is needed")
		return nil
	}
	if len(v.Members) > maxItems {
		in.refuse(path, "an object has at most %d members", maxItems)
		return nil
	}
	return &Input{request: in.request, at: path, members: v.Members}
}

// Names lists the names of the values, in the order they were sent.
func (in *Input) Names() []string {
	names := make([]string, len(in.members))
	for i, m := range in.members {
		names[i] = m.Name
	}
	return names
}

// Word reads one of the domain's words. Whether there is such a word is the domain's to say.
func Word[E ~string](in *Input, domain string, names ...string) *E {
	text := in.Text(domain, names...)
	if text == nil {
		return nil
	}
	word := E(*text)
	return &word
}

// Patch reads a value that may be left out, which is not the same as null.
func Patch[T any](in *Input, read func(domain string, names ...string) *T, domain string, names ...string) crm.Omittable[*T] {
	v := read(domain, names...)
	if !in.Has(names...) {
		return crm.Omittable[*T]{}
	}
	return crm.Given(v)
}

// Page is a numbered page.
type Page struct{ Number, Size int }

// Page reads pageNumber, from first, and pageSize. The size is usual when absent and at most most.
func (in *Input) Page(first, usual, most int) Page {
	p := Page{first, usual}
	if n := in.Int("", "pageNumber"); n != nil {
		if *n < first || *n > maxPageNumber {
			in.refuse(joined(in.at, "pageNumber"), "a page number lies between %d and %d", first, maxPageNumber)
		} else {
			p.Number = *n
		}
	}
	if n := in.Int("", "pageSize"); n != nil {
		if *n < 1 {
			in.refuse(joined(in.at, "pageSize"), "a page has at least one row")
		} else {
			p.Size = min(*n, most)
		}
	}
	return p
}

// maxPageNumber keeps offsets within what is counted in.
const maxPageNumber = 1<<31 - 1

// Slice is the page for the domain; first is the number of the first one.
func (p Page) Slice(first int) crm.Page { return crm.NewSlice(p.Size, (p.Number-first)*p.Size) }

// Pages is how many pages so many rows make.
func (p Page) Pages(total int) int { return (total + p.Size - 1) / p.Size }
