// Package obs is what an operator sees of the program: correlation ids, the log without
// personal data, and metrics.
package obs

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// CorrelationHeader names a request in the client's, the server's and other systems' logs.
const CorrelationHeader = "X-Correlation-Id"

// maxCorrelationID is the longest id taken over from a client, in bytes.
const maxCorrelationID = 128

type correlationKey struct{}

// Correlate gives each request a correlation id, the client's when it is visible ASCII of
// at most 128 bytes and else a new UUID, and echoes it in the response.
func Correlate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(CorrelationHeader)
		if !usable(id) {
			id = uuid.NewString()
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
