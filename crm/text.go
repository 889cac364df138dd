package crm

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NormaliseName brings a name to the form names are compared and sorted in: accents and
// invisible signs stripped, letters like ß and ł written out, lower case, punctuation turned
// into space, single spaces.
func NormaliseName(name string) string {
	var b strings.Builder
	space := false
	// Decomposing stops for a while at bytes that are no UTF-8.
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(name, " ")) {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mc, r): // Mc: vowels, such as the Hindi ones
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			writeFolded(&b, unicode.ToLower(r))
		default:
			space = true
		}
	}
	return b.String()
}

// writeFolded writes a lower-case letter as people without it on their keyboard do: these
// have no accent that could be taken off.
func writeFolded(b *strings.Builder, r rune) {
	switch r {
	case 'ß':
		b.WriteString("ss")
	case 'æ':
		b.WriteString("ae")
	case 'œ':
		b.WriteString("oe")
	case 'þ':
		b.WriteString("th")
	case 'ø':
		b.WriteByte('o')
	case 'ł':
		b.WriteByte('l')
	case 'đ', 'ð':
		b.WriteByte('d')
	case 'ı':
		b.WriteByte('i')
	default:
		b.WriteRune(r)
	}
}

// NormaliseEmail brings an e-mail address to the form addresses are compared in.
func NormaliseEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// FoldEmail drops from an address what its owner may add without getting another mailbox: a
// +tag, and for gmail.com the dots. Duplicates are found by it. An address of which nothing
// would be left before the @ stays whole: it has no owner to share with others.
func FoldEmail(email string) string {
	whole := NormaliseEmail(email)
	local, domain, _ := strings.Cut(whole, "@")
	local, _, _ = strings.Cut(local, "+")
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	if local == "" || domain == "" {
		return whole
	}
	return local + "@" + domain
}

// NormalisePhone brings a telephone number to the form numbers are compared in: its digits.
func NormalisePhone(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

// NormaliseTaxID brings a tax id to the form tax ids are compared in: letters and digits, in
// upper case.
func NormaliseTaxID(id string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, id)
}

// CoreName is a normalised organisation's name without the words at its end that name its
// legal form. A name that would be left with less than two letters is kept whole.
func CoreName(name string) string {
	whole := NormaliseName(name)
	core := whole
	for {
		at := strings.LastIndexByte(core, ' ')
		if at < 0 || !slices.Contains(legalForms, core[at+1:]) {
			break
		}
		core = core[:at]
	}
	if utf8.RuneCountInString(core) < 2 || slices.Contains(legalForms, core) {
		return whole
	}
	return core
}

var legalForms = strings.Fields("inc incorporated corp corporation co company llc ltd limited plc gmbh ag sa bv")

// NormalisePostalCode brings a postal code to the form postal codes are compared in.
func NormalisePostalCode(code string) string { return NormalisePlate(code) }

// NormaliseCode brings a code or a serial number to the form codes are stored in.
func NormaliseCode(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

// NormalisePlate brings a licence plate to the form plates are compared in: upper case,
// without spaces and hyphens.
func NormalisePlate(plate string) string { return joinedUpper(plate) }

// joinedUpper is a text without spaces and hyphens, in upper case.
func joinedUpper(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, text)
}

// compact keeps letters, digits and the signs of an e-mail address, in lower case.
func compact(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@._+", r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, norm.NFKC.String(text))
}
