package obs

import (
	"context"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
)

// hidden are the attributes whose values never reach a log, whatever they hold.
var hidden = []string{
	"authorization", "body", "code", "email", "name", "password", "phone", "plate", "query", "text", "token", "variables", "vin",
}

// Personal data is recognised in free text by its form: e-mail addresses, signed tokens,
// telephone numbers and the keys that a database error quotes.
var personal = regexp.MustCompile(
	`[^\s@"'<>(]+@[^\s@"'<>)]+\.[^\s@"'<>)]+` +
		`|ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*` +
		`|\+[0-9][0-9 ()./-]{6,}[0-9]` +
		`|postgres(?:ql)?://[^\s"']+` +
		`|\)=\([^)]*\)`)

const redacted = "[redacted]"

// NewLog writes JSON lines without personal data, with the correlation id of the context.
func NewLog(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(correlated{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redact})})
}

func redact(_ []string, a slog.Attr) slog.Attr {
	if slices.Contains(hidden, strings.ToLower(a.Key)) {
		return slog.String(a.Key, redacted)
	}
	switch v := a.Value.Any().(type) {
	case string:
		if personal.MatchString(v) {
			return slog.String(a.Key, personal.ReplaceAllString(v, redacted))
		}
	case error:
		return slog.String(a.Key, personal.ReplaceAllString(v.Error(), redacted))
	}
	return a
}

// correlated adds the correlation id to every line.
type correlated struct{ slog.Handler }

// Handle implements slog.Handler.
func (h correlated) Handle(ctx context.Context, r slog.Record) error {
	if id := CorrelationID(ctx); id != "" {
		r.AddAttrs(slog.String("correlationId", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h correlated) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlated{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h correlated) WithGroup(name string) slog.Handler {
	return correlated{h.Handler.WithGroup(name)}
}
