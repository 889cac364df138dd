package crm_test

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func TestMoneyIn(t *testing.T) {
	t.Parallel()
	for text, minor := range map[string]int64{
		"0 EUR": 0, "0.00 EUR": 0, "1 EUR": 100, "1.5 EUR": 150, "125.50 USD": 12_550, "0.01 EUR": 1, "007 EUR": 700,
		"980 JPY": 980, "1.234 KWD": 1_234, "1.2 KWD": 1_200, "0.0001 CLF": 1,
		"90071992547409.91 EUR": 1<<53 - 1, "9007199254740991 JPY": 1<<53 - 1, "9007199254740.991 KWD": 1<<53 - 1,
	} {
		in := money(t, text)
		got, err := crm.CheckMoney(in, false)
		require.NoError(t, err, text)
		require.Equal(t, crm.Money{Minor: minor, Currency: in.Currency}, got, text)
	}
}

// What a currency cannot express is refused and never rounded; the message says what is wrong
// and the path where.
func TestMoneyIn_Refused(t *testing.T) {
	t.Parallel()
	const (
		notDecimal  = "f.amount: an amount is a decimal number such as 125.50, not negative, without sign or exponent"
		tooMuch     = "f.amount: an amount has at most 9007199254740991 minor units"
		notCurrency = "f.currency: a currency is an ISO 4217 code such as EUR"
	)
	for text, want := range map[string][]string{
		"1.001|EUR": {"f.amount: an amount of EUR has at most 2 digits after the point"}, "1.5|JPY": {"f.amount: an amount of JPY has at most 0 digits after the point"},
		"1.0000|KWD": {"f.amount: an amount of KWD has at most 3 digits after the point"}, "0.0000001|EUR": {notDecimal},
		"-1|EUR": {notDecimal}, "-0|EUR": {notDecimal}, "+1|EUR": {notDecimal}, "1e3|EUR": {notDecimal}, "1E-2|EUR": {notDecimal},
		"NaN|EUR": {notDecimal}, "Infinity|EUR": {notDecimal}, "0x10|EUR": {notDecimal}, "1,50|EUR": {notDecimal}, "1_000|EUR": {notDecimal},
		"1 000|EUR": {notDecimal}, " 1|EUR": {notDecimal}, "1\n|EUR": {notDecimal}, "|EUR": {notDecimal}, ".5|EUR": {notDecimal}, "5.|EUR": {notDecimal},
		"1.2.3|EUR": {notDecimal}, "١|EUR": {notDecimal}, "1/2|EUR": {notDecimal}, "12345678901234567|JPY": {notDecimal},
		"90071992547409.92|EUR": {tooMuch}, "9007199254740992|JPY": {tooMuch}, "9999999999999999|KWD": {tooMuch}, "9999999999999999.9999|CLF": {tooMuch},
		"1|eur": {notCurrency}, "1|EURO": {notCurrency}, "1|": {notCurrency}, "1|XYZ": {notCurrency}, "1| EUR": {notCurrency}, "1|E\x00R": {notCurrency},
		"x|y": {notCurrency, notDecimal},
	} {
		amount, code, _ := strings.Cut(text, "|")
		for _, movement := range []bool{false, true} {
			_, err := crm.CheckMoney(crm.MoneyInput{Amount: amount, Currency: code}, movement)
			var got []string
			for _, e := range problems(err) {
				require.Equal(t, crm.Invalid, e.Code)
				got = append(got, e.Field+": "+e.Message)
			}
			require.Equal(t, want, got, "%q", text)
		}
	}
	for _, zero := range []string{"0", "0.00", "000"} {
		_, err := crm.CheckMoney(crm.MoneyInput{Amount: zero, Currency: "EUR"}, true)
		require.Equal(t, "the amount must be greater than zero", refused(t, err, crm.Invalid, "", "f.amount").Message)
	}
}

// What goes out comes in again, the same.
func TestMoneyOutAndIn(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	digits := map[string]int{"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}
	for code, n := range digits {
		for range 2_000 {
			out := crm.Money{Minor: dice.Int64N(1<<53) >> dice.IntN(53), Currency: code}
			in, err := crm.CheckMoney(crm.MoneyInput{Amount: out.Amount(), Currency: out.Currency}, false)
			require.NoError(t, err, out.String())
			require.Equal(t, out, in)
			exact, ok := new(big.Rat).SetString(out.Amount())
			require.True(t, ok)
			scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
			require.Zero(t, exact.Mul(exact, scale).Cmp(new(big.Rat).SetInt64(out.Minor)), out.String())
		}
	}
	require.Equal(t, "-0.05 EUR", crm.Money{Minor: -5, Currency: "EUR"}.String())
	require.Equal(t, "-980 JPY", crm.Money{Minor: -980, Currency: "JPY"}.String())
}
