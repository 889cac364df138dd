package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// hidden are the attributes whose values never reach a log, whatever they hold.
var hidden = []string{
	"authorization", "body", "code", "email", "name", "password", "phone", "plate", "query", "text", "token", "variables", "vin",
}

// Personal data is recognised in free text by its form: e-mail addresses, signed tokens,
// telephone numbers, database addresses with their passwords, and the values that a
// database error quotes.
var personal = regexp.MustCompile(
	`[^\s@"'<>(/:]+@[^\s@"'<>)/:]+\.\pL[\pL\pN-]+` +
		`|ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*` +
		`|\+[0-9][0-9 ()./-]{6,}[0-9]` +
		`|postgres(?:ql)?://[^\s"']+` +
		`|password=\S+` +
		`|\)=\(.*\)|\)=\([^)]*\)` + // a value may hold brackets, or line breaks
		`|(?:input syntax for [^:"]*|out of range): ".*"` +
		`|unable to encode .* into`)

const redacted = "[redacted]"

// NewLog writes JSON lines without personal data, with the correlation id of the context.
// A value that has fields or elements of its own is shown by its type only.
func NewLog(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(correlated{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redact})})
}

func redact(groups []string, a slog.Attr) slog.Attr {
	if slices.ContainsFunc(groups, hides) || hides(a.Key) {
		return slog.String(a.Key, redacted)
	}
	kind, value := a.Value.Kind(), a.Value.Any()
	if kind != slog.KindString && kind != slog.KindAny || value == nil {
		return a
	}
	return slog.String(a.Key, personal.ReplaceAllString(plain(value), redacted))
}

// hides reports whether nothing of this name is shown.
func hides(name string) bool { return slices.Contains(hidden, strings.ToLower(name)) }

// plain writes a value as text if it has a text of its own.
func plain(v any) string {
	switch v.(type) {
	case error, fmt.Stringer:
		return fmt.Sprint(v)
	}
	switch reflect.TypeOf(v).Kind() {
	case reflect.Array, reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer,
		reflect.Slice, reflect.Struct, reflect.UnsafePointer:
		return fmt.Sprintf("%T", v)
	default:
		return fmt.Sprint(v)
	}
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
