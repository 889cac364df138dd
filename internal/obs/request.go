// Package obs is what an operator sees of the program: correlation ids, the log without
// personal data, and metrics.
package obs

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// CorrelationHeader names a request in the client's, the server's and other systems' logs.
const CorrelationHeader = "X-Correlation-Id"

// maxCorrelationID is the longest id taken over from a client, in bytes.
const maxCorrelationID = 128

type correlationKey struct{}

// Correlate gives each request a correlation id, the client's when it is visible ASCII of
// at most 128 bytes, else the trace id of a W3C traceparent header as a UUID, else a new
// UUID, and echoes it in the response.
func Correlate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(CorrelationHeader)
		if !usable(id) {
			id = traceID(r.Header.Values("Traceparent"))
		}
		w.Header().Set(CorrelationHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), correlationKey{}, id)))
	})
}

// CorrelationID returns the id of the request that ctx belongs to, empty outside a request.
func CorrelationID(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}

func usable(id string) bool {
	if id == "" || len(id) > maxCorrelationID {
		return false
	}
	for i := range len(id) {
		if id[i] < 0x21 || id[i] > 0x7e {
			return false
		}
	}
	return true
}

// traceparent has the fields version, trace id, parent id, flags, and what later versions add
// (W3C Trace Context).
var traceparent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$`)

// traceID is the trace id of the one valid traceparent header as a UUID, else a new UUID.
func traceID(headers []string) string {
	if len(headers) != 1 {
		return uuid.NewString()
	}
	m := traceparent.FindStringSubmatch(headers[0])
	if m == nil || m[1] == "ff" || m[1] == "00" && m[4] != "" || zero(m[2]) || zero(m[3]) {
		return uuid.NewString()
	}
	return uuid.MustParse(m[2]).String()
}

func zero(hex string) bool { return strings.Trim(hex, "0") == "" }
