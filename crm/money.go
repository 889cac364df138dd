package crm

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// Money is an exact amount of a currency.
type Money struct {
	Minor    int64  // minor units, such as cents
	Currency string // ISO 4217
}

// MoneyInput is an amount as a client writes it: a decimal number of major units, such as
// 125.50, with no more digits than the currency has.
type MoneyInput struct {
	Amount   string // 0 to 2^53-1 minor units
	Currency string // ISO 4217
}

var decimalPattern = regexp.MustCompile(`^(\d{1,16})(?:\.(\d{1,6}))?$`)

// money checks an amount that is not negative. It is exact: what the currency cannot express is
// refused, never rounded.
func (p *problems) money(field string, in MoneyInput) Money {
	digits, known := currency.GetDigits(in.Currency)
	if !known {
		p.add(field+".currency", "a currency is an ISO 4217 code such as EUR")
	}
	parts := decimalPattern.FindStringSubmatch(in.Amount)
	if parts == nil {
		p.add(field+".amount", "an amount is a decimal number such as 125.50, not negative, without sign or exponent")
	}
	if !known || parts == nil {
		return Money{}
	}
	if len(parts[2]) > int(digits) {
		p.add(field+".amount", "an amount of %s has at most %d digits after the point", in.Currency, digits)
		return Money{}
	}
	minor, err := strconv.ParseInt(parts[1]+parts[2]+strings.Repeat("0", int(digits)-len(parts[2])), 10, 64)
	if err != nil || minor > maxAmount {
		p.add(field+".amount", "an amount has at most %d minor units", int64(maxAmount))
	}
	return Money{Minor: minor, Currency: in.Currency}
}

// movement is money for an amount that something moves by: it is not zero.
func (p *problems) movement(field string, in MoneyInput) Money {
	before := len(p.list)
	m := p.money(field, in)
	if m.Minor == 0 && len(p.list) == before {
		p.add(field+".amount", "the amount must be greater than zero")
	}
	return m
}

// moneyOf joins a stored amount and its currency, nil when either is missing.
func moneyOf(minor *int64, code *string) *Money {
	if minor == nil || code == nil {
		return nil
	}
	return &Money{Minor: *minor, Currency: *code}
}

// String is the amount with its currency, for people: 125.50 USD.
func (m Money) String() string { return m.Amount() + " " + m.Currency }

// Amount renders the amount in major units with the currency's own number of digits:
// 12550 minor units of USD are 125.50, 980 of JPY are 980.
func (m Money) Amount() string {
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
