package crm

import (
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// Money is an exact amount of a currency.
type Money struct {
	Minor    int64  // minor units, such as cents
	Currency string // ISO 4217
}

// moneyOf joins a stored amount and its currency, nil when either is missing.
func moneyOf(minor *int64, code *string) *Money {
	if minor == nil || code == nil {
		return nil
	}
	return &Money{Minor: *minor, Currency: *code}
}

// Amount renders the amount in major units with the currency's own number of digits:
// 12550 minor units of USD are 125.50, 980 of JPY are 980.
func (m *Money) Amount() string {
	digits, ok := currency.GetDigits(m.Currency)
	if !ok {
		digits = 2
	}
	text := strconv.FormatInt(m.Minor, 10)
	sign := ""
	if m.Minor < 0 {
		sign, text = "-", text[1:]
	}
	n := int(digits)
	if n == 0 {
		return sign + text
	}
	if len(text) <= n {
		text = strings.Repeat("0", n-len(text)+1) + text
	}
	return sign + text[:len(text)-n] + "." + text[len(text)-n:]
}
