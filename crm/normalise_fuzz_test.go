package crm_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// normalisers are all pure functions that bring a text to the form it is compared in, with how
// many bytes come out of one at most.
var normalisers = map[string]struct {
	normalise func(string) string
	growth    int
}{
	"NormaliseName":       {crm.NormaliseName, 36}, // U+FDFA alone is 18 letters
	"CoreName":            {crm.CoreName, 36},
	"NormaliseEmail":      {crm.NormaliseEmail, 3}, // a broken byte becomes U+FFFD
	"FoldEmail":           {crm.FoldEmail, 3},
	"NormalisePhone":      {crm.NormalisePhone, 1},
	"NormaliseTaxID":      {crm.NormaliseTaxID, 3},
	"NormaliseCode":       {crm.NormaliseCode, 3},
	"NormalisePlate":      {crm.NormalisePlate, 3},
	"NormalisePostalCode": {crm.NormalisePostalCode, 3},
	"NormaliseVIN":        {crm.NormaliseVIN, 3},
}

var difficult = []string{
	"", " ", "Müller & Söhne GmbH", "a\x00b\xff", "\xf0\x28\x8c\xbc", "İıſßẞŉǅK", "ﷺ", "e\u0301-\u0301", "한글 이름", "शर्मा", "\u200d\u00ad",
	"co ltd", "\xf2Ȯ", "+tag@gmail.com", "A.B+c@Gmail.com", "@", "a@b@c", "+1 (206) 555-0147", "2t3p1-rfv6-nc300777", "1FTFW1E53PFA10001", "１２３",
}

func FuzzNormalise(f *testing.F) {
	for _, text := range difficult {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, n := range normalisers {
			once := n.normalise(text)
			require.True(t, utf8.ValidString(once), "%s(%q) is valid UTF-8", name, text)
			require.Equal(t, once, n.normalise(once), "%s twice changes nothing of %q", name, text)
			require.LessOrEqual(t, len(once), n.growth*len(text), "%s(%q) is bounded", name, text)
		}
		require.Equal(t, crm.FoldEmail(text), crm.FoldEmail(crm.NormaliseEmail(text)), "folding is about normalised addresses")
		require.True(t, strings.HasPrefix(crm.NormaliseName(text), crm.CoreName(text)), "a core name begins the name")
	})
}

func FuzzReadVIN(f *testing.F) {
	for _, text := range append(difficult, "WVWZZZ1JZXW000001", "wvw zzz-1jzxw000001", "WP0ZZZ99ZTS392124", "1M8GDM9AXKP042788") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vin := crm.VIN{Value: crm.NormaliseVIN(text)}
		if !vin.IsWellFormed() {
			require.Nil(t, vin.WMI())
			require.Nil(t, vin.Region())
			require.Empty(t, vin.ModelYearCandidates())
			require.Equal(t, crm.CheckDigitUnknown, vin.CheckDigit())
			return
		}
		require.Len(t, vin.Value, 17)
		require.Equal(t, vin.Value, crm.NormaliseVIN(vin.Value))
		require.Contains(t, []int{3, 6}, len(*vin.WMI()))
		require.NotEqual(t, crm.CheckDigitUnknown, vin.CheckDigit())
	})
}

// FuzzChecks holds every check to what it promises of the texts that it lets pass.
func FuzzChecks(f *testing.F) {
	for _, text := range append(difficult, "DE", "de-AT", "cust-1", "priya@harborfl.example") {
		f.Add(text)
	}
	checks := crm.Checks()
	f.Fuzz(func(t *testing.T, text string) {
		for name, check := range checks {
			kept, err := check(text)
			if err != nil || kept == nil {
				continue
			}
			require.True(t, utf8.ValidString(*kept), "%s keeps valid UTF-8 of %q", name, text)
			require.NotContains(t, *kept, "\x00", "%s keeps no NUL of %q", name, text)
			require.LessOrEqual(t, utf8.RuneCountInString(*kept), 254)
			again, err := check(*kept)
			require.NoError(t, err, "%s refuses what it kept of %q", name, text)
			require.Equal(t, *kept, *again, "%s changes what it kept of %q", name, text)
		}
	})
}
