package crm

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The bounds of free-form data: how deep it may nest, and the numbers it may hold, which are
// kept digit by digit and so must not be longer than they are written.
const maxJSONDepth = 32

var jsonNumberPattern = regexp.MustCompile(`^-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$`)

// object checks a JSON object of at most so many bytes, and returns it without spaces.
func (p *problems) object(field string, text json.RawMessage, most int) json.RawMessage {
	if text == nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value map[string]any
	if err := decoder.Decode(&value); err != nil || value == nil || decoder.More() || !utf8.Valid(text) {
		p.add(field, "a JSON object is needed")
		return nil
	}
	if problem := storable(value, 1); problem != "" {
		p.add(field, "%s", problem)
		return nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil || out.Len()-1 > most {
		p.add(field, "at most %d bytes are allowed", most)
		return nil
	}
	return bytes.TrimSpace(out.Bytes())
}

// storable says why a JSON value cannot be kept, empty when it can.
func storable(value any, depth int) string {
	if depth > maxJSONDepth {
		return "the value is nested too deep"
	}
	switch v := value.(type) {
	case string:
		if strings.ContainsAny(v, "\x00\uFFFD") { // the decoder's word for what is no Unicode
			return "the text must be valid Unicode without NUL"
		}
	case json.Number:
		if !jsonNumberPattern.MatchString(v.String()) {
			return "a number has at most 40 digits on either side of its point, and an exponent of at most two"
		}
	case []any:
		for _, element := range v {
			if problem := storable(element, depth+1); problem != "" {
				return problem
			}
		}
	case map[string]any:
		for name, member := range v {
			if problem := storable(name, depth); problem != "" {
				return problem
			}
			if problem := storable(member, depth+1); problem != "" {
				return problem
			}
		}
	}
	return ""
}

// sameJSON reports whether two JSON values say the same, however they are written.
func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return (a == nil) == (b == nil) && (a == nil || canonical(&x, a) && canonical(&y, b) && bytes.Equal(x.Bytes(), y.Bytes()))
}

func canonical(out *bytes.Buffer, text json.RawMessage) bool {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	return decoder.Decode(&value) == nil && json.NewEncoder(out).Encode(value) == nil
}
