package crm

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NormaliseName brings a name to the form names are compared and sorted in: accents
// stripped, letters like ß and ł written out, lower case, punctuation turned into space, single spaces.
func NormaliseName(name string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r):
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

// NormaliseCode brings a code or a serial number to the form codes are stored in.
func NormaliseCode(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

// NormalisePlate brings a licence plate to the form plates are compared in: upper case,
// without spaces and hyphens.
func NormalisePlate(plate string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\t", "").Replace(plate))
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
