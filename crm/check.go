package crm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/text/language"
)

// problems collects what is wrong with an input. Its methods return the value in the form it
// is stored in, trimmed, with an empty text as nil. Paths are those of the arguments.
type problems struct{ list Problems }

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return p.list
}

// nested checks an input inside another: what is wrong at "input" is wrong at root.
func (p *problems) nested(root string, check func(*problems)) {
	var inner problems
	check(&inner)
	for _, e := range inner.list {
		p.list = append(p.list, e.nested(root))
	}
}

// add reports a broken input rule.
func (p *problems) add(field, format string, args ...any) {
	p.list = append(p.list, invalidf(field, format, args...))
}

// because is add with a reason.
func (p *problems) because(reason Reason, field, format string, args ...any) {
	e := invalidf(field, format, args...)
	e.Reason = reason
	p.list = append(p.list, e)
}

// text checks a text of at most so many characters.
func (p *problems) text(field string, value *string, most int) *string {
	if value == nil {
		return nil
	}
	text := strings.TrimSpace(*value)
	if strings.TrimFunc(text, invisible) == "" {
		text = ""
	}
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\r' && r != '\t' && r != 0 && unicode.IsControl(r) }):
		p.add(field, "control characters are not allowed")
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		p.add(field, "the text must be valid Unicode without NUL")
	case utf8.RuneCountInString(text) > most:
		p.add(field, "at most %d characters are allowed", most)
	}
	if text == "" {
		return nil
	}
	return &text
}

// invisible characters show nothing: a text of them alone is none.
func invisible(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// required is text for a value that must be there.
func (p *problems) required(field, value string, most int) string {
	text := p.text(field, &value, most)
	if text == nil {
		p.add(field, "a value is required")
		return ""
	}
	return *text
}

// between is required for a text of a least length.
func (p *problems) between(field, value string, least, most int) string {
	text := p.required(field, value, most)
	if text != "" && utf8.RuneCountInString(text) < least {
		p.add(field, "at least %d characters are needed", least)
	}
	return text
}

// matching is text that must match a pattern, which what describes.
func (p *problems) matching(field string, value *string, pattern *regexp.Regexp, what string) *string {
	text := p.text(field, value, 1000)
	if text != nil && !pattern.MatchString(*text) {
		p.add(field, "%s", what)
	}
	return text
}

// patch checks a value that may be left out, and keeps it in the form it is stored in.
func patch[T any](value *graphql.Omittable[*T], check func(*T) *T) {
	if v, ok := value.ValueOK(); ok {
		*value = graphql.OmittableOf(check(v))
	}
}

// patchRequired is patch for a value that may be left out but not be cleared.
func patchRequired[T any](p *problems, field string, value *graphql.Omittable[*T], check func(*T) *T) {
	if v, ok := value.ValueOK(); ok {
		before := len(p.list)
		checked := check(v)
		if checked == nil && len(p.list) == before {
			p.add(field, "the value cannot be cleared")
		}
		*value = graphql.OmittableOf(checked)
	}
}

// apply sets a field to a value that was given, null included.
func apply[T any](field **T, value graphql.Omittable[*T]) {
	if v, ok := value.ValueOK(); ok {
		*field = v
	}
}

// applyRequired sets a field to a value that was given and is not null.
func applyRequired[T any](field *T, value graphql.Omittable[*T]) {
	if v, ok := value.ValueOK(); ok && v != nil {
		*field = *v
	}
}

// word checks one of a closed list; the graph's own types do so, other doors do not.
func word[E ~string](p *problems, field string, value E, words ...E) {
	if !slices.Contains(words, value) {
		list := make([]string, len(words))
		for i, w := range words {
			list[i] = string(w)
		}
		p.add(field, "the value must be one of %s", strings.Join(list, ", "))
	}
}

// optionalWord is word for a value that may be absent.
func optionalWord[E ~string](p *problems, field string, value *E, words ...E) *E {
	if value != nil {
		word(p, field, *value, words...)
	}
	return value
}

var (
	emailPattern   = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	phonePattern   = regexp.MustCompile(`^[0-9+\-. ()]+$`)
	codePattern    = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_-]{1,31}$`)
	keyPattern     = regexp.MustCompile(`^[A-Za-z0-9_.~-]{1,128}$`)
	systemPattern  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)
	platePattern   = regexp.MustCompile(`^[A-Z0-9 -]{1,20}$`)
	regionPattern  = regexp.MustCompile(`^[A-Z0-9-]{2,6}$`)
	wordPattern    = regexp.MustCompile(`^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$`)
)

// The bounds of a telephone number in digits. Contact points that reach people are held to
// the first; the legacy contracts accept the second in their plain text fields.
const (
	minPhoneDigits       = 10
	minLegacyPhoneDigits = 7
	maxPhoneDigits       = 15
)

// email checks an e-mail address of at most 254 characters; it is kept as given.
func (p *problems) email(field string, value *string) *string {
	text := p.text(field, value, 254)
	if text != nil && !emailPattern.MatchString(*text) {
		p.add(field, "an e-mail address has the form local@domain.tld")
	}
	return text
}

// phone checks a telephone number of least to 15 digits; it is kept as given.
func (p *problems) phone(field string, value *string, least int) *string {
	text := p.text(field, value, 64)
	if text == nil {
		return nil
	}
	if n := len(NormalisePhone(*text)); !phonePattern.MatchString(*text) || n < least || n > maxPhoneDigits {
		p.add(field, "a telephone number has %d to %d digits and otherwise only spaces and the signs + - . ( )", least, maxPhoneDigits)
	}
	return text
}

// code checks a code that people read, and turns it to upper case.
func (p *problems) code(field string, value *string) *string {
	text := p.text(field, value, 64)
	if text == nil {
		return nil
	}
	code := NormaliseCode(*text)
	if !codePattern.MatchString(code) {
		p.add(field, "a code has 2 to 32 of the characters A-Z 0-9 _ - and starts with a letter or digit")
	}
	return &code
}

// key checks an id that a client chose.
func (p *problems) key(field string, value *string) *string {
	return p.matching(field, value, keyPattern, "a key has 1 to 128 of the characters A-Z a-z 0-9 _ . ~ -")
}

// notCountries are codes that ISO 3166-1 has withdrawn or only reserved; XK, which it leaves to
// its users, is a country to all of them.
var notCountries = strings.Fields("AC AN BU CP CQ CS CT DD DG DY EA EZ FQ FX HV IC JT MI NH NQ NT PC PU PZ RH SU TA TP UK UN VD WK YD YU ZR")

// country checks an ISO 3166-1 alpha-2 code.
func (p *problems) country(field string, value *string) *string {
	text := p.text(field, value, 64)
	if text == nil {
		return nil
	}
	region, err := language.ParseRegion(*text)
	if err != nil || !countryPattern.MatchString(*text) || !region.IsCountry() || slices.Contains(notCountries, *text) {
		p.add(field, "a country is an ISO 3166-1 alpha-2 code such as DE")
	}
	return text
}

// language checks a BCP 47 tag.
func (p *problems) language(field string, value *string) *string {
	text := p.text(field, value, 35)
	if text != nil {
		if _, err := language.Parse(*text); err != nil || strings.Contains(*text, "_") {
			p.add(field, "a language is a BCP 47 tag such as de-AT")
		}
	}
	return text
}

// birthDate checks a day that lies in the past.
func (p *problems) birthDate(field string, value *time.Time, now time.Time) *time.Time {
	if value != nil && (value.After(now) || value.Year() < 1850) {
		p.add(field, "a date of birth lies between 1850 and today")
	}
	return value
}

// instant checks a time that is kept, and brings it to what is stored.
func (p *problems) instant(field string, value *time.Time) *time.Time {
	if value == nil {
		return nil
	}
	at := value.UTC().Truncate(time.Microsecond)
	if at.Year() < 1900 || at.Year() > 2999 {
		p.add(field, "a time lies between the years 1900 and 2999")
	}
	return &at
}

// vin checks a VIN and returns it normalised.
func (p *problems) vin(field, value string) string {
	vin := NormaliseVIN(value)
	if !wellFormedVIN(vin) {
		p.add(field, "a VIN has 17 of the characters A-Z 0-9 without I, O and Q")
	}
	return vin
}

// atMost bounds the length of a list.
func (p *problems) atMost(field string, n, most int) {
	if n > most {
		p.add(field, "at most %d values are allowed, %d are given", most, n)
	}
}

// check checks what goes with every write.
func (w Write) check(p *problems) {
	if k := w.IdempotencyKey; k != nil && !wordPattern.MatchString(*k) {
		p.add("idempotencyKey", "a key has 1 to 128 printable ASCII characters")
	}
	if w.IfRevision != nil && *w.IfRevision < 0 {
		p.add("ifRevision", "a revision is not negative")
	}
	if w.Audit == nil {
		return
	}
	if w.Audit.Reason != nil {
		reason := p.required("audit.reason", *w.Audit.Reason, 512)
		w.Audit.Reason = &reason
	}
	p.atMost("audit.sourceRefs", len(w.Audit.SourceRefs), 32)
	for i, ref := range w.Audit.SourceRefs {
		ref.Kind = p.required(fmt.Sprintf("audit.sourceRefs[%d].kind", i), ref.Kind, 64)
		ref.ID = p.required(fmt.Sprintf("audit.sourceRefs[%d].id", i), ref.ID, 128)
	}
}

// indexed is the path of a list's element.
func indexed(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
