package scalar

import (
	"fmt"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalDecimal writes an exact decimal number as text.
func MarshalDecimal(v string) graphql.Marshaler { return graphql.MarshalString(v) }

// UnmarshalDecimal reads a decimal number from a text only: a JSON number may have lost digits
// on its way here.
func UnmarshalDecimal(v any) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("a decimal number is sent as text, such as \"125.50\", not as %s", kindOf(v))
	}
	return text, nil
}
