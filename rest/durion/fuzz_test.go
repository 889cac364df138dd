package durion_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/rest"
	"crmgraph/rest/durion"
)

var (
	oddSeed     = flag.Uint64("odd.seed", 20260304, "what the odd requests are made from")
	oddRequests = flag.Int("odd.requests", 12_000, "how many odd requests are sent")
)

// oddLeak is what no answer may hold.
var oddLeak = regexp.MustCompile(`SQLSTATE|violates|syntax error|goroutine |runtime error|\.go:\d|pgx|pq:|panic`)

// TestOddRequests sends requests that are malformed or odd to every route, as someone who may do
// everything. Whatever comes, the door answers in its own words, soon, and not with a 5xx.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	const workers = 4
	statuses := make([]map[int]int, workers)
	var all sync.WaitGroup
	for n := range workers {
		statuses[n] = map[int]int{}
		all.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			o := &oddity{made: []string{named["P2"], named["V2"], "42"}}
			for i := n; i < *oddRequests && !t.Failed(); i += workers {
				o.Rand = rand.New(rand.NewPCG(*oddSeed, uint64(i)))
				statuses[n][o.send(t, transport, admin, i)]++
			}
		})
	}
	all.Wait()
	total := map[int]int{}
	for _, s := range statuses {
		for status, n := range s {
			total[status] += n
		}
	}
	t.Logf("seed %d: %v", *oddSeed, total)
	for _, status := range []int{200, 201, 204, 400, 404, 405, 409, 413, 415} {
		require.NotZero(t, total[status], "no request was answered %d", status)
	}
}

// oddity makes requests.
type oddity struct {
	*rand.Rand

	made []string // ids that answers told, which may be deleted and merged away
}

// oddRequest is one of them.
type oddRequest struct {
	method, target, body string
	header               http.Header
	chunked              bool
}

// send sends the request of a number and checks the answer, whose status it returns.
func (o *oddity) send(t *testing.T, transport http.RoundTripper, c *client, number int) int {
	q := o.request()
	if _, err := url.ParseRequestURI(q.target); err != nil || strings.HasPrefix(q.target, "//") {
		return 0 // net/http answers that by itself
	}
	wrong := func(format string, args ...any) int {
		t.Errorf("request %d of -odd.seed=%d: %s\n%s %.500s\n%v\n%.2000q", number, *oddSeed, fmt.Sprintf(format, args...), q.method, q.target, q.header, q.body)
		return 0
	}
	var body io.Reader = strings.NewReader(q.body)
	if q.chunked {
		body = io.MultiReader(body)
	}
	request, err := http.NewRequestWithContext(t.Context(), q.method, c.w.url, body)
	if err != nil {
		return wrong("cannot be made: %v", err)
	}
	path, query, _ := strings.Cut(q.target, "?")
	request.URL.Opaque, request.URL.RawQuery = path, query
	request.Header = q.header.Clone()
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return wrong("no answer: %v", err)
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(response.Body)
	if err != nil {
		return wrong("no whole answer: %v", err)
	}
	if complaint := oddComplaint(q, response, answered); complaint != "" {
		return wrong("%d %s: %.1000s", response.StatusCode, complaint, answered)
	}
	o.remember(answered)
	return response.StatusCode
}

// oddComplaint says what is wrong with an answer, empty for nothing.
func oddComplaint(q oddRequest, response *http.Response, body []byte) string {
	id := response.Header.Get("X-Correlation-Id")
	sent := q.header.Get("X-Correlation-Id")
	usable := regexp.MustCompile(`^[\x21-\x7e]{1,128}$`).MatchString(sent)
	switch {
	case response.StatusCode >= http.StatusInternalServerError:
		return "is not the client's fault"
	case response.StatusCode == http.StatusUnprocessableEntity || response.StatusCode < 200 || response.StatusCode >= 300 && response.StatusCode < 400:
		return "is no status of the contract"
	case usable && id != sent || !usable && uuid.Validate(id) != nil:
		return "has another correlation id: " + id
	case oddLeak.Match(body):
		return "tells what is inside"
	case q.method == http.MethodHead || response.StatusCode == http.StatusNoContent:
		return map[bool]string{false: "has a body"}[len(body) == 0]
	case response.Header.Get("Content-Type") != "application/json" || !json.Valid(body):
		return "is not JSON"
	case response.StatusCode < 300:
		return ""
	}
	var shown struct {
		Code, Message, CorrelationID string
		Timestamp                    time.Time
		FieldErrors                  []struct {
			Field, Message string
			RejectedValue  json.RawMessage
		}
	}
	if json.Unmarshal(body, &shown) != nil || shown.Code == "" || shown.Message == "" || shown.Timestamp.IsZero() || shown.FieldErrors == nil {
		return "is not an error of the contract"
	}
	if shown.CorrelationID != id {
		return "has another correlation id in its body"
	}
	if response.StatusCode != http.StatusBadRequest && len(shown.FieldErrors) > 0 {
		return "blames a field"
	}
	return ""
}

// remember keeps the ids of an answer.
func (o *oddity) remember(body []byte) {
	var told struct {
		ID                 int64
		PartyID, VehicleID string
	}
	if json.Unmarshal(body, &told) != nil {
		return
	}
	for _, id := range []string{told.PartyID, told.VehicleID, strconv.FormatInt(told.ID, 10)} {
		if id != "" && id != "0" && len(o.made) < 200 && !slices.Contains(slices.Collect(maps.Values(named)), id) {
			o.made = append(o.made, id)
		}
	}
}

// pick is one of them.
func pick[T any](o *oddity, of ...T) T { return of[o.IntN(len(of))] }

// sometimes is true once in n times.
func (o *oddity) sometimes(n int) bool { return o.IntN(n) == 0 }

func (o *oddity) request() oddRequest {
	route := pick(o, durion.Routes()...)
	destroys := route.Method == http.MethodDelete || strings.HasSuffix(route.Path, "/merge")
	q := oddRequest{method: route.Method, target: o.path(route, destroys), header: http.Header{}, chunked: o.sometimes(20)}
	if o.sometimes(30) {
		q.method = pick(o, "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "BREW", "PROPFIND")
	}
	if route.Method == http.MethodGet && o.sometimes(2) || o.sometimes(20) {
		q.target += "?" + o.query()
	}
	if q.method != http.MethodGet && q.method != http.MethodHead || o.sometimes(30) {
		q.body = o.content(oddBodies[route.ID])
		q.header.Set("Content-Type", "application/json")
	}
	o.bend(q.header)
	return q
}

// path is a route's path with odd values for its variables, and sometimes odd itself.
func (o *oddity) path(route rest.Route, destroys bool) string {
	segments := strings.Split(route.Path, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = o.pathValue(segment, isRegistry(route), destroys)
		}
	}
	path := strings.Join(segments, "/")
	if !o.sometimes(15) {
		return path
	}
	at := o.IntN(len(path))
	return pick(o, path+"/", path+"//", strings.Replace(path, "/", "//", 1+o.IntN(2)), strings.ToUpper(path), path[:at], path+"/x", "/x"+path,
		strings.ReplaceAll(path, "/", "%2F"), path+"%20", path+"/..", path+"/.", path[:at]+"/"+path[at:], path+";a=b", path+"%3Fa=b", path+"#x",
		path+"/"+strings.Repeat("a/", 500), path[:at]+"%00"+path[at:], path[:at]+"%C0%AF"+path[at:], path[:at]+"é"+path[at:])
}

func (o *oddity) pathValue(variable string, registry, destroys bool) string {
	if destroys && !o.sometimes(4) {
		return pick(o, o.made...)
	}
	if !o.sometimes(3) {
		switch {
		case destroys:
			return "7777777"
		case variable == "{vin}":
			return pick(o, "1FTFW1E53PFA10001", "1xpbdp9x4fd300999", "1ftfw-1e53p-fa10001", "4T1B11HK7KU700123")
		case variable == "{id}" && registry:
			return pick(o, "1", "7", "3")
		case variable == "{id}" || variable == "{customerId}":
			return pick(o, "41", "42", named["C41"], named["P1"])
		case variable == "{vehicleId}":
			return named[pick(o, "V1", "V2", "V3", "R7")]
		case variable == "{contactId}":
			return named[pick(o, "K1", "K2", "K3", "K4")]
		default:
			return named[pick(o, "P1", "P2", "P3", "C41", "K1")]
		}
	}
	return pick(o, "", ".", "..", "%2e%2e", "%2F", "a%2Fb", "%00", "a%00b", "%FF%FE", "%ED%A0%80", "%25", "%2525", "%0A", "%0d%0aX-Evil:1", "%E2%80%AE", "%F0%9F%9A%97",
		"0", "-0", "-1", "+41", "041", "41.0", "4e1", "0x29", "%2041", "41%20", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
		strings.Repeat("9", 400), strings.Repeat("a", 8000), "accounts", "parties", "vehicles", "vin", "search", "null", "undefined", "NaN", "{id}", "*", "'", "%22", "%5C",
		"';DROP%20TABLE%20party;--", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "pty_"+named["P1"],
		strings.ToUpper(named["P1"]), "%7B"+named["P1"]+"%7D", "urn:uuid:"+named["P1"], strings.ReplaceAll(named["P1"], "-", ""), named["P1"][:35], named["P1"]+"0",
		"%EF%BC%94%EF%BC%91" /* 41 in full width */, pick(o, o.made...))
}

// query is a query string of known and unknown parameters.
func (o *oddity) query() string {
	if o.sometimes(10) {
		return pick(o, "&", "=", "a", "%", "a=%zz", "a;b", "a=1;b=2", "=1", "a=1&a=2", "%00=1", "a=%00", strings.Repeat("a=1&", 2000), "[]=1", "a[b]=c", "?", "#", strings.Repeat("x", 9000))
	}
	var parts []string
	for range 1 + o.IntN(4) {
		name := pick(o, "pageNumber", "pageSize", "sortField", "sortOrder", "q", "vin", "unitNumber", "licensePlate", "licensePlateRegion", "partyId", "status", "enableContains", "id")
		value := pick(o, "0", "1", "20", "100", "500", "ASC", "DESC", "id", "createdAt", "relevance", "lastName", "year", "ACTIVE", "ALL", "true", "1FTFW1E5", "T-101", named["P1"])
		if o.sometimes(2) {
			if err := json.Unmarshal([]byte(o.text()), &value); err != nil {
				value = "not a text"
			}
		}
		parts = append(parts, name+"="+url.QueryEscape(value[:min(len(value), 5000)]))
	}
	return strings.Join(parts, "&")
}

// bend makes headers odd, sometimes.
func (o *oddity) bend(h http.Header) {
	if o.sometimes(15) {
		h.Set("Content-Type", pick(o, "", "text/plain", "application/json; charset=latin1", "application/json;", "application/json; =", "Application/Json", "*/*", "application/xml",
			"multipart/form-data", "application/json, text/plain", strings.Repeat("a", 3000), "application/json\xff"))
	}
	if o.sometimes(30) {
		h.Set("Content-Encoding", pick(o, "gzip", "identity", "", "br, gzip", "x"))
	}
	if o.sometimes(3) {
		h.Set("X-Correlation-Id", pick(o, "gx-1", "", "a b", strings.Repeat("x", 128), strings.Repeat("x", 129), "é", "\xff", "<script>", `"`, "a\tb", uuid.NewString()))
	}
	if o.sometimes(20) {
		name := pick(o, "Traceparent", "X-User", "X-Authorities", "X-Forwarded-For", "X-Http-Method-Override", "Accept", "If-Match", "If-None-Match", "Range", "Cookie", "Accept-Encoding", "Origin", "Prefer")
		h.Set(name, pick(o, "", "*", "x", "bytes=0-1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "DELETE", "\xff\xfe", strings.Repeat("y", 4000)))
	}
}

// oddMember is one of a body: its name and its value as JSON text.
type oddMember struct{ name, value string }

// oddBodies are good ones of the operations, from which odd ones are made.
var oddBodies = func() map[string][]oddMember {
	const (
		customer = `{"firstName":"Ansel","lastName":"Okonjo","email":"ansel@okonjo.example","phoneNumber":"+1-555-0188","primaryAddress":"HOME",
			"vehicleVins":["JTDKARFU2H3055001"],"customerNumber":"C-77","customerType":"PRIVATE"}`
		roles       = `{"version":"1","roles":[{"roleCode":"APPROVER"},{"roleCode":"BILLING","isPrimary":true}]}`
		preferences = `{"version":"0","emailPreference":"OPT_IN","smsPreference":"OPT_OUT","phonePreference":"NOT_APPLICABLE","marketingPreference":"OPT_IN",
			"consentFlags":{"emailMarketing":true,"pushNotifications":null},"preferencesNote":"mornings","updateSource":"FRONT_DESK"}`
		vehicle = `{"vinNumber":"2T3P1RFV6NC300777","unitNumber":"BUS-9","description":"Support car","licensePlate":"cvsd 09","licensePlateRegion":"wa",
			"make":"Toyota","model":"RAV4","year":2022,"trim":"LE"}`
		registered = `{"make":"Tesla","model":"Model 3","year":2019,"vin":"5yj3e1ea3kf300321"}`
	)
	made := map[string][]oddMember{}
	for id, text := range map[string]string{
		"D-02": customer, "D-27": customer, "D-07": preferences, "D-15": preferences, "D-09": roles, "D-17": roles, "D-11": vehicle, "D-20": vehicle,
		"D-29": registered, "D-36": registered, "D-31": registered, "D-34": registered,
		"D-03": `{"legalName":"Blue Mesa Drilling LLC","displayName":"Blue Mesa","partyType":"ORGANIZATION","taxId":"27-5550133","billingTermsId":"BT-NET60",
			"email":"ap@bluemesa.example","phone":"+1 505 555 0162","externalIdentifiers":{"erp":"BM-7"},"duplicateOverride":true,
			"duplicateOverrideJustification":"another branch","duplicateCandidatePartyIds":["P1"]}`,
		"D-04": `{"name":"harbor","email":"ap@","phone":"0147","taxId":"84-2219075","externalIdentifier":"HF-0042","partyType":"ORGANIZATION","status":"ACTIVE",
			"includeMerged":true,"pageNumber":0,"pageSize":20,"sortField":"legalName","sortOrder":"ASC"}`,
		"D-10": `{"losingPartyId":"P2","losingPartyIds":["P2"],"justification":"Same fleet, entered twice","reasonCode":"DUPLICATE_ACCOUNT","survivorPartyId":"P1"}`,
		"D-12": `{"accountId":"P1","annualRevenue":250000.50,"activeContractCount":2,"accountAgeMonths":14,"applyTier":true,"forceRecalculation":false}`,
		"D-21": `{"vehicleId":"V1","version":"1",` + vehicle[1:],
		"D-24": `{"toCustomerId":"42","effectiveDate":"2026-10-31T09:15:27.480Z","reason":"Private sale","version":"1"}`,
	} {
		decoder := json.NewDecoder(strings.NewReader(fill(text)))
		for _, err := decoder.Token(); err == nil && decoder.More(); {
			var value json.RawMessage
			var name json.Token
			if name, err = decoder.Token(); err == nil {
				err = decoder.Decode(&value)
			}
			made[id] = append(made[id], oddMember{fmt.Sprint(name), string(value)})
		}
	}
	return made
}()

// content is the body made of members, some of which are made odd.
func (o *oddity) content(good []oddMember) string {
	members := slices.Clone(good)
	if o.sometimes(2) {
		members = slices.DeleteFunc(members, func(oddMember) bool { return o.sometimes(3) })
	}
	if !o.sometimes(4) {
		for range 1 + o.IntN(3) {
			members = o.mutate(members, good)
		}
	}
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = `"` + m.name + `":` + m.value
	}
	another := strconv.Itoa(100_000 + o.IntN(900_000)) // so that not all creates are duplicates
	text := strings.NewReplacer("NC300777", "NC"+another, "kf300321", "kf"+another, "H3055001", "H3"+another[:5], "C-77", "C-"+another, "Blue Mesa", "Blue Mesa "+another).
		Replace("{" + strings.Join(texts, ",") + "}")
	if !o.sometimes(12) {
		return text
	}
	at := o.IntN(len(text))
	return pick(o, "", " ", text[:at], text[at:], text+text, text+"x", "["+text+"]", "\ufeff"+text, text[:at]+"\x00"+text[at:], text[:at]+"\xff"+text[at:],
		text[:at]+pick(o, "{", "}", "[", "]", ",", ":", `"`, `\`)+text[at:], strings.Repeat("[", 40)+strings.Repeat("]", 40), strings.Repeat(`{"a":`, 5000), "null", "true", "12", `"x"`, "[]",
		text+strings.Repeat(" ", 1<<20), `{"legalName":"`+strings.Repeat("x", 900_000)+`"}`, strings.Repeat("\x00", 100), strings.ReplaceAll(text, `"`, `'`))
}

func (o *oddity) mutate(members, good []oddMember) []oddMember {
	if len(members) == 0 {
		return append(members, oddMember{o.name(good), o.value()})
	}
	i := o.IntN(len(members))
	m := members[i]
	switch o.IntN(8) {
	case 0:
		return append(members, m) // twice
	case 1:
		members[i].name = o.name(good)
	case 2:
		members[i].value = "[" + m.value + "]"
	case 3:
		members[i].value = `{"a":` + m.value + "}"
	case 4:
		members[i].value = pick(o, `[`+o.value()+","+m.value+","+o.value()+"]", `{"`+o.name(good)+`":`+o.value()+`,"roleCode":`+o.value()+"}", `[{"roleCode":`+o.value()+`,"isPrimary":`+o.value()+"}]")
	default:
		members[i].value = o.value()
	}
	return members
}

// name is the name of a member.
func (o *oddity) name(good []oddMember) string {
	if len(good) > 0 && !o.sometimes(3) {
		return pick(o, good...).name
	}
	return pick(o, "", "dbaName", "vin", "defaultBillingTermsId", "licensePlateJurisdiction", "toPartyId", "id", "partyId", "version", "revision", "VERSION", "a.b", "a[0]", "$", "input",
		`\u0000`, `\ud800`, "é", strings.Repeat("n", 300), "__proto__", "emailMarketing", "erp")
}

// value is any JSON value.
func (o *oddity) value() string {
	if o.sometimes(2) {
		return o.text()
	}
	return pick(o, "null", "true", "false", "0", "-0", "-1", "1", "2", "1.5", "1e2", "1e400", "-1e400", "1e-400", "0.1000000000000000000000000001", "2147483648", "-2147483649", "9223372036854775807",
		"9223372036854775808", "-9223372036854775809", strings.Repeat("9", 500), "[]", "{}", "[null]", "[[]]", "[{}]", `{"":""}`, `{"a":null}`, `{"a":true,"a":false}`, `["",""]`,
		"["+strings.Repeat("0,", 1500)+"0]", "["+strings.Repeat(`"x",`, 600)+`"x"]`, "["+strings.Repeat("{},", 600)+"{}]", strings.Repeat("[", 30)+strings.Repeat("]", 30),
		strings.Repeat("[", 31)+strings.Repeat("]", 31), `{"`+strings.Repeat("k", 200)+`":true}`, "01", "+1", "NaN", "undefined", "tru")
}

// text is a JSON text.
func (o *oddity) text() string {
	return `"` + pick(o, "", " ", "x", strings.Repeat("x", 101), strings.Repeat("x", 256), strings.Repeat("é", 255), strings.Repeat("🚗", 70), strings.Repeat("y", 70_000), `\u0000`, `a\u0000b`, `\ud800`,
		`\udc00\ud800`, `\ufffe`, `\u202e`, `\u200b`, `\n\t\r`, `\u0001\u001f\u007f`, `\\`, `\"`, "%", "_", "%%%", "'; DROP TABLE party; --", "${jndi:ldap://x}", "<script>", "{{7*7}}", "(((", "a|b&!c:*", "&", "!",
		"0", "1", "-1", "01", "1.0", "1e9", "9223372036854775807", "9223372036854775808", "v3", "true", "null", "OPT_IN", "opt_in", "JANITOR", "BILLING", "INDIVIDUAL", "BUSINESS", "PERSON", "MERGED", "SUSPENDED",
		"BT-NET30", "bt-net30", "a@b.c", "a@b", "@", "a b@c.de", "x@"+strings.Repeat("y", 260)+".z", "+1 206 555 0147", "123456", "1234567", "+", "--", "12345678901234567", "phone", "٠١٢٣٤٥٦٧٨٩",
		"1FTFW1E53PFA10001", "1ftfw1e53pfa10001", " 1FTFW-1E53P FA10001 ", "1FTFW1E53PFA1O001", "1XPBDP9X4FD300999", "11111111111111111", "ÀÀÀÀÀÀÀÀÀÀÀÀÀÀÀÀÀ", "ııııııııııııııııı", "ßßßßßßßßßßßßßßßßß",
		"2026-02-30", "2026-03-04", "0000-01-01", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59", "10000-01-01T00:00:00Z", "2026-03-04T09:15:27.480Z", "2026-03-04T09:15:60Z", "-0001-01-01",
		"P1Y", "now", "infinity", "createdAt", "relevance", "id; --", "WA", "US-WA", "cvsd  09", "Harbor Freightlines Inc", "inc", "a", "\u0301", named["P1"], named["P2"], named["C41"], named["K1"], named["V1"], named["V3"],
		strings.ToUpper(named["P3"]), "pty_"+named["P1"], pick(o, o.made...)) + `"`
}
