package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxDepth  = 32      // bounds how deep a body's lists and objects lie in each other
	maxValues = 100_000 // bounds how many values it has: each costs much more memory than its text
)

// Kind says what a JSON value is.
type Kind int

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Object
)

// Value is a JSON value as a client sent it.
type Value struct {
	Kind    Kind
	Raw     json.RawMessage
	Text    string   // of a String, a Number, or true or false
	Items   []Value  // of a List
	Members []Member // of an Object, in the order sent

	flaw string // why it cannot be taken; empty when it can
}

// Member is one member of an object.
type Member struct {
	Name  string
	Value Value
}

// parser reads one JSON text.
type parser struct {
	data    []byte
	decoder *json.Decoder
	values  int // so far
}

var (
	errNotUTF8 = errors.New("the body is not UTF-8")
	errDepth   = fmt.Errorf("the body has more than %d levels", maxDepth)
	errMany    = fmt.Errorf("the body has more than %d values", maxValues)
	errMore    = errors.New("the body has more than one JSON value")
	errNUL     = errors.New("the body has a member whose name has the character NUL")
)

// parse reads a JSON text. Errors: a text that is not JSON, is too deep, or has
// too many values.
func parse(data []byte) (Value, error) {
	if !utf8.Valid(data) {
		return Value{}, errNotUTF8
	}
	p := &parser{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	v, err := p.value(1)
	if err != nil {
		return Value{}, err
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errMore
	}
	return v, nil
}

func (p *parser) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, errDepth
	}
	if p.values++; p.values > maxValues {
		return Value{}, errMany
	}
	start := p.decoder.InputOffset()
	token, err := p.decoder.Token()
	if err != nil {
		return Value{}, err
	}
	v := Value{}
	switch t := token.(type) {
	case bool:
		v.Kind, v.Text = Bool, strconv.FormatBool(t)
	case json.Number:
		v.Kind, v.Text = Number, t.String()
	case string:
		v = textual(t)
	case json.Delim:
		if t == '{' {
			v.Kind = Object
			err = p.members(&v, depth)
		} else {
			v.Kind = List
			err = p.items(&v, depth)
		}
	}
	// Before a value come white space and what separates it from the last one.
	v.Raw = bytes.TrimLeft(p.data[start:p.decoder.InputOffset()], " \t\r\n,:")
	return v, err
}

// textual is a String, which the database must be able to keep.
func textual(text string) Value {
	v := Value{Kind: String, Text: text}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		v.flaw = "the text must be valid Unicode without NUL"
	}
	return v
}

func (p *parser) members(v *Value, depth int) error {
	for p.decoder.More() {
		name, err := p.decoder.Token()
		if err != nil {
			return err
		}
		key := name.(string) // the decoder made sure
		if strings.ContainsRune(key, 0) {
			return errNUL
		}
		member, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.Members = append(v.Members, Member{key, member})
	}
	_, err := p.decoder.Token()
	return err
}

func (p *parser) items(v *Value, depth int) error {
	for p.decoder.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.Items = append(v.Items, item)
	}
	_, err := p.decoder.Token()
	return err
}

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Indexed is the path of an element of a list.
func Indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
