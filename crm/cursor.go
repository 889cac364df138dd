package crm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/google/uuid"
)

// macSize is how much of the signature a cursor carries, in bytes.
const macSize = 12

// cursorScope binds cursors to one list of one tenant in one order: the same cursor is
// refused anywhere else.
type cursorScope struct {
	key    []byte
	tenant uuid.UUID
	list   string
	order  string
}

// encode returns the opaque cursor of the row with the given order values.
func (s cursorScope) encode(values []string) string {
	payload, err := json.Marshal(values)
	if err != nil {
		panic("a list of strings is always valid JSON: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(append(s.sign(payload), payload...))
}

// decode returns the order values of a cursor that this scope made.
// Errors: Invalid at field for every other text.
func (s cursorScope) decode(cursor, field string) ([]string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) < macSize || !hmac.Equal(raw[:macSize], s.sign(raw[macSize:])) {
		return nil, invalidf(field, "%s is not a cursor of this list", field)
	}
	var values []string
	if err := json.Unmarshal(raw[macSize:], &values); err != nil {
		return nil, invalidf(field, "%s is not a cursor of this list", field)
	}
	return values, nil
}

func (s cursorScope) sign(payload []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(s.tenant[:])
	mac.Write([]byte(strings.Join([]string{s.list, s.order, ""}, "\x00")))
	mac.Write(payload)
	return mac.Sum(nil)[:macSize]
}

// cursorEncoder makes the cursors of a list's rows.
type cursorEncoder[T any] struct {
	scope  cursorScope
	values func(*T) []string
}

func (e cursorEncoder[T]) encode(row *T) string { return e.scope.encode(e.values(row)) }
