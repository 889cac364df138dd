package crm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// TestNormalisedForms has the examples and the rules of the contracts: Durion 3.5, 3.6, 3.8
// and 3.9, G3N 3.3.
func TestNormalisedForms(t *testing.T) {
	t.Parallel()
	for rule, c := range map[string]struct {
		normalise func(string) string
		in, want  string
	}{
		"a name loses punctuation and case":                  {crm.NormaliseName, "HARBOR FREIGHTLINES, INC.", "harbor freightlines inc"},
		"a name loses accents given as letters of their own": {crm.NormaliseName, "Zoe\u0308 Garc\u0131\u0301a", "zoe garcia"},
		"a name has single spaces":                           {crm.NormaliseName, "Cedar \t\u00a0 Valley\nSchool", "cedar valley school"},
		"a name keeps digits":                                {crm.NormaliseName, "№ 7 Ⅷ", "no 7 viii"},
		"a name of full-width letters is the same":           {crm.NormaliseName, "ＡＣＭＥ", "acme"},
		"a name has no signs that nobody sees":               {crm.NormaliseName, "Mül\u00adler\u200b", "muller"},
		"a Hindi name keeps its vowels":                      {crm.NormaliseName, "शर्मा जी", "शरमा जी"},
		"a name of broken bytes loses them":                  {crm.NormaliseName, "a\xffb\x00c", "a b c"},
		"an empty name is empty":                             {crm.NormaliseName, "", ""},

		"a core name has no legal form":                       {crm.CoreName, "Harbor Freightlines Inc", "harbor freightlines"},
		"a core name has no legal form in any spelling":       {crm.CoreName, "HARBOR FREIGHTLINES, INC.", "harbor freightlines"},
		"a core name has none of several legal forms":         {crm.CoreName, "Northwind Holding GmbH & Co. Ltd", "northwind holding"},
		"a core name keeps a legal form inside":               {crm.CoreName, "Limited Editions LLC", "limited editions"},
		"a core name of one character is the whole name":      {crm.CoreName, "X Corp.", "x corp"},
		"a core name of one digit is the whole name":          {crm.CoreName, "3 AG", "3 ag"},
		"a core name of legal forms only is the whole name":   {crm.CoreName, "Company Ltd", "company ltd"},
		"a core name of one legal form is the whole name":     {crm.CoreName, "SA", "sa"},
		"a core name of two characters stands":                {crm.CoreName, "3M Company", "3m"},
		"a core name does not lose an end that only looks so": {crm.CoreName, "Banco", "banco"},
		"a core name of nothing is empty":                     {crm.CoreName, "&", ""},

		"an e-mail address is compared without case":      {crm.NormaliseEmail, "\tPriya@HarborFL.example ", "priya@harborfl.example"},
		"a folded address has no tag":                     {crm.FoldEmail, "Amelia+shop@example.com", "amelia@example.com"},
		"a folded address ends at the first plus":         {crm.FoldEmail, "a+b+c@example.com", "a@example.com"},
		"a folded address keeps its dots":                 {crm.FoldEmail, "a.b@example.com", "a.b@example.com"},
		"a folded gmail address has no dots":              {crm.FoldEmail, "A.B.c+x.y@Gmail.com", "abc@gmail.com"},
		"a folded address of a tag only stays whole":      {crm.FoldEmail, "+news@example.com", "+news@example.com"},
		"a folded gmail address of dots only, too":        {crm.FoldEmail, "..@gmail.com", "..@gmail.com"},
		"a folded text that is no address stays as it is": {crm.FoldEmail, " No+Address ", "no+address"},

		"a telephone number is its digits":            {crm.NormalisePhone, "+1 (206) 555-01.47", "12065550147"},
		"a telephone number of letters is nothing":    {crm.NormalisePhone, "call me", ""},
		"other scripts' digits are no digits to it":   {crm.NormalisePhone, "٠١٢ 34", "34"},
		"a tax id is its letters and digits":          {crm.NormaliseTaxID, "84-2219075", "842219075"},
		"a tax id is in upper case":                   {crm.NormaliseTaxID, " de 129.273/398 ", "DE129273398"},
		"a tax id of signs is nothing":                {crm.NormaliseTaxID, "- / .", ""},
		"a code is trimmed and in upper case":         {crm.NormaliseCode, "\n bt-net30 ", "BT-NET30"},
		"a code keeps what is inside":                 {crm.NormaliseCode, "a b", "A B"},
		"a plate is compared without spaces, hyphens": {crm.NormalisePlate, " cvsd 09-x ", "CVSD09X"},
		"a plate is compared without other spaces":    {crm.NormalisePlate, "cv\u00a0sd\n09", "CVSD09"},
		"a postal code is compared as plates are":     {crm.NormalisePostalCode, "sw1a-1 aa", "SW1A1AA"},
		"a VIN has no spaces and hyphens":             {crm.NormaliseVIN, " 2t3p1-rfv6-nc300777 ", "2T3P1RFV6NC300777"},
		"a VIN is trimmed of every kind of space":     {crm.NormaliseVIN, "\r\n2t3p1rfv6nc300777\u00a0", "2T3P1RFV6NC300777"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.normalise(c.in))
		})
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	checks := crm.Checks()
	for rule, c := range map[string]struct {
		check string
		good  map[string]string // and what is kept of it
		bad   []string
	}{
		"a text is trimmed and bounded in characters": {"text", map[string]string{"ab": "ab", "ÄÖÜäöüßéèê": "ÄÖÜäöüßéèê"}, []string{"ÄÖÜäöüßéèêa"}},
		"an e-mail address is local@domain.tld, kept as given": {"email",
			map[string]string{"Ap@Bluemesa.example": "Ap@Bluemesa.example", "a+b.c@d-e.f.g": "a+b.c@d-e.f.g", strings.Repeat("a", 249) + "@b.de": strings.Repeat("a", 249) + "@b.de"},
			[]string{"nope", "a@b", "a@@b.de", "a b@c.de", "@b.de", "a@.", "a@b.", strings.Repeat("a", 250) + "@b.de"}},
		"a telephone number has 10 to 15 digits, kept as given": {"phone",
			map[string]string{"+1 206 555 0147": "+1 206 555 0147", "(0)-123.456.789": "(0)-123.456.789", "123456789012345": "123456789012345"},
			[]string{"123456789", "1234567890123456", "1-800-FLOWERS-1", "letters", "+", "٠١٢٣٤٥٦٧٨٩", "12345/67890"}},
		"a telephone number of the legacy fields has 7 to 15": {"legacy",
			map[string]string{"+1-555-0188": "+1-555-0188", "1234567": "1234567"}, []string{"123456", "1234567890123456", "555 CALL", "12\t34567"}},
		"a code is 2 to 32 of A-Z 0-9 _ -": {"code",
			map[string]string{"cust-000041": "CUST-000041", "a_": "A_", "9" + strings.Repeat("z", 31): "9" + strings.Repeat("Z", 31)},
			[]string{"a", "-ab", "_ab", "a b", "ä1", strings.Repeat("a", 33)}},
		"a key is 1 to 128 of A-Z a-z 0-9 _ . ~ -, case kept": {"key",
			map[string]string{"a": "a", "A.b_c~D-1": "A.b_c~D-1", strings.Repeat("k", 128): strings.Repeat("k", 128)},
			[]string{"a b", "a/b", "ü", "a:b", strings.Repeat("k", 129)}},
		"a country is an ISO 3166-1 code in use": {"country", map[string]string{"DE": "DE", "US": "US", "GB": "GB", "SS": "SS", "XK": "XK"},
			[]string{"de", "DEU", "276", "UK", "EU", "ZZ", "XX", "SU", "YU", "AN", "001", "D"}},
		"a language is a BCP 47 tag": {"language",
			map[string]string{"de": "de", "de-AT": "de-AT", "zh-Hant-TW": "zh-Hant-TW", "sr-Latn": "sr-Latn"},
			[]string{"??", "de_AT", "zz", "german", "de-", "1", strings.Repeat("de-AT-", 6)}},
		"a VIN has 17 of A-Z 0-9 without I, O and Q": {"vin",
			map[string]string{"2t3p1-rfv6-nc300777": "2T3P1RFV6NC300777", "1FTFW1E53PFA10001": "1FTFW1E53PFA10001"},
			[]string{"1FTFW1E53PFA1O001", "1FTFW1E53PFA1I001", "1FTFW1E53PFA1Q001", "1FTFW1E53PFA1000", "1FTFW1E53PFA100011", "1FTFW1E53PFA1000Ä", ""}},
		"an external system is 1 to 64 of A-Z a-z 0-9 _ . -": {"system", map[string]string{"erp": "erp", "SAP_S.4-x": "SAP_S.4-x"}, []string{"a b", "ä", strings.Repeat("s", 65)}},
		"a plate is 1 to 20 of A-Z 0-9, hyphen and space":    {"plate", map[string]string{"CVSD 09": "CVSD 09", "B-MW 1234": "B-MW 1234"}, []string{"cvsd 09", "B_1", strings.Repeat("1", 21)}},
		"a plate's region is 2 to 6 of A-Z 0-9 -":            {"region", map[string]string{"WA": "WA", "US-WA": "US-WA"}, []string{"W", "wa", "US_WA", "US-WASH"}},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			for text, want := range c.good {
				for _, padded := range []string{text, " " + text + "\n"} {
					kept, err := checks[c.check](padded)
					require.NoError(t, err, "%q", padded)
					require.Equal(t, want, *kept)
				}
			}
			for _, text := range append(c.bad, "a\x00", "a\xff@b.de", "123456\x007890", "DE\x00") {
				_, err := checks[c.check](text)
				require.NotEmpty(t, fields(t, err), "%q", text)
			}
		})
	}
	t.Run("every country that ISO 3166-1 assigns is one, and XK", func(t *testing.T) {
		t.Parallel()
		n := 0
		for a := 'A'; a <= 'Z'; a++ {
			for b := 'A'; b <= 'Z'; b++ {
				if _, err := checks["country"](string([]rune{a, b})); err == nil {
					n++
				}
			}
		}
		require.Equal(t, 249+1, n)
	})
}
