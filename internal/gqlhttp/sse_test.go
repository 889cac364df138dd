package gqlhttp_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/gqlhttp"
)

const events = "text/event-stream"

func TestEventStream(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const cost = `"extensions":{"cost":{"requested":1,"maximum":1000}}`

	t.Run("sends each response as one event, then completes", func(t *testing.T) {
		t.Parallel()
		got := d.post(t, `{"query":"subscription { ticks(to: 2) }"}`, "Accept", events)
		require.Equal(t, 200, got.status)
		require.Equal(t, "text/event-stream; charset=utf-8", got.header.Get("Content-Type"))
		require.Equal(t,
			"event: next\ndata: {\"data\":{\"ticks\": 1} ,"+cost+"}\n\n"+
				"event: next\ndata: {\"data\":{\"ticks\": 2} ,"+cost+"}\n\n"+
				"event: complete\ndata:\n\n", got.text)
	})

	t.Run("serves GET and queries", func(t *testing.T) {
		t.Parallel()
		got := d.send(t, http.MethodGet, "?query="+url.QueryEscape(typeQuery), "", "Accept", events)
		require.Equal(t, "event: next\ndata: {\"data\":{\"__typename\":\"Query\"},"+cost+"}\n\nevent: complete\ndata:\n\n", got.text)
	})

	t.Run("tells refusals of GraphQL requests in the stream", func(t *testing.T) {
		t.Parallel()
		for _, document := range []string{"{", "{ unknown }", "subscription { ticks(to: \\\"x\\\") }", "{ items(first: 0) { nodes { id } } }"} {
			got := d.post(t, `{"query":"`+document+`"}`, "Accept", events)
			require.Equal(t, 200, got.status)
			require.True(t, strings.HasPrefix(got.text, "event: next\ndata: {\"errors\":["), got.text)
			require.Contains(t, got.text, `"code":"BAD_USER_INPUT"`)
			require.Contains(t, got.text, `"requestId":"req-1"`)
			require.NotContains(t, got.text, `"data":`)
			require.True(t, strings.HasSuffix(got.text, "event: complete\ndata:\n\n"))
		}
	})

	t.Run("answers malformed requests with their status", func(t *testing.T) {
		t.Parallel()
		d.post(t, `nonsense`, "Accept", events).requireRefused(t, 400, "BAD_USER_INPUT", "one JSON object")
	})

	t.Run("tells a deadline that left nothing", func(t *testing.T) {
		t.Parallel()
		hurried := setup(t, func(o *gqlhttp.Options) { o.Timeout = 30 * time.Millisecond })
		got := hurried.post(t, `{"query":"{ slowRequired }"}`, "Accept", events)
		require.Contains(t, got.text, `"code":"UNAVAILABLE"`)
		require.NotContains(t, got.text, `"data":`)
		require.True(t, strings.HasSuffix(got.text, "event: complete\ndata:\n\n"))
	})

	t.Run("survives a panic", func(t *testing.T) {
		t.Parallel()
		crashed := setup(t)
		got := crashed.post(t, `{"query":"subscription { crash }"}`, "Accept", events)
		require.Contains(t, got.text, `"code":"INTERNAL"`)
		require.NotContains(t, got.text, "secret-in-panic")
		require.True(t, strings.HasSuffix(got.text, "event: complete\ndata:\n\n"))
		require.True(t, (<-crashed.told).Panicked)
	})
}

func TestEventStreamStaysOpen(t *testing.T) {
	t.Parallel()
	d := setupServer(t, func(server *http.Server) {
		server.ReadTimeout = 200 * time.Millisecond
		server.WriteTimeout = 200 * time.Millisecond
	}, func(o *gqlhttp.Options) {
		o.Timeout = 100 * time.Millisecond
		o.KeepAlive = 10 * time.Millisecond
	})
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, strings.NewReader(`{"query":"subscription { silence }"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", jsonMedia)
	r.Header.Set("Accept", events)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()

	// Forty comments take twice as long as the server's timeouts and four times as
	// long as the timeout of a query; none of them may end a subscription.
	lines := bufio.NewScanner(response.Body)
	for range 40 {
		require.True(t, lines.Scan(), "the stream ended early")
		require.Equal(t, ":", lines.Text())
		require.True(t, lines.Scan(), "the stream ended early")
		require.Empty(t, lines.Text())
	}

	hangUp()
	require.Equal(t, "subscription", string((<-d.told).Type))
	require.True(t, d.stage.ended.Load(), "the subscription outlived its client")
}
