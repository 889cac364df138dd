package playground

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestHandlerSendsFilesAsTheyWereCompressed(t *testing.T) {
	t.Parallel()
	handler := setup(t)

	answer := get(handler, "/playground/assets/index-B0t44t9e.js", "Accept-Encoding", "br, gzip")

	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "gzip", answer.Header().Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", answer.Header().Get("Vary"))
	require.Equal(t, "text/javascript; charset=utf-8", answer.Header().Get("Content-Type"))
	require.Equal(t, "public, max-age=31536000, immutable", answer.Header().Get("Cache-Control"))
	require.Equal(t, script, gunzip(t, answer.Body.Bytes()))
}

func TestHandlerDecompressesForClientsThatRefuseGzip(t *testing.T) {
	t.Parallel()
	handler := setup(t)
	for accepted, coding := range map[string]string{
		"":                    "",
		"br":                  "",
		"gzip;q=0":            "",
		"*;q=1, gzip;q=0":     "",
		"gzip;q=nonsense":     "",
		"deflate, GZIP;q=0.5": "gzip",
		"*":                   "gzip",
	} {
		answer := get(handler, "/playground/assets/index-B0t44t9e.js", "Accept-Encoding", accepted)
		require.Equal(t, coding, answer.Header().Get("Content-Encoding"), accepted)
		if coding == "" {
			require.Equal(t, script, answer.Body.String(), accepted)
		}
	}
}

func TestHandlerSendsThePageFreshEveryTime(t *testing.T) {
	t.Parallel()
	answer := get(setup(t), "/playground/", "", "")

	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "no-cache", answer.Header().Get("Cache-Control"))
	require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	require.Equal(t, "<p>page</p>", answer.Body.String())
}

func TestHandlerAnswersAKnownETagWithoutBody(t *testing.T) {
	t.Parallel()
	handler := setup(t)
	plain := get(handler, "/playground/", "", "").Header().Get("ETag")
	zipped := get(handler, "/playground/", "Accept-Encoding", "gzip").Header().Get("ETag")
	require.NotEqual(t, plain, zipped, "two encodings are two representations")

	again := get(handler, "/playground/", "If-None-Match", plain)
	require.Equal(t, http.StatusNotModified, again.Code)
	require.Empty(t, again.Body.String())

	require.Equal(t, http.StatusOK, get(handler, "/playground/", "If-None-Match", zipped).Code)
}

func TestHandlerRedirectsToTheFolder(t *testing.T) {
	t.Parallel()
	answer := get(setup(t), "/playground", "", "")
	require.Equal(t, http.StatusTemporaryRedirect, answer.Code)
	require.Equal(t, "playground/", answer.Header().Get("Location"))
}

func TestHandlerOnlyReads(t *testing.T) {
	t.Parallel()
	handler := setup(t)
	require.Equal(t, http.StatusMethodNotAllowed, send(handler, http.MethodPost, "/playground/").Code)
	require.Equal(t, http.StatusNotFound, send(handler, http.MethodPost, "/playground/token").Code)
	require.Equal(t, http.StatusNotFound, send(handler, http.MethodGet, "/playground/assets/none.js").Code)
	require.Equal(t, http.StatusNotFound, send(handler, http.MethodGet, "/playground/.keep").Code)

	head := send(handler, http.MethodHead, "/playground/")
	require.Equal(t, http.StatusOK, head.Code)
	require.Empty(t, head.Body.String())
}

func TestHandlerForbidsOtherHostsOnEveryAnswer(t *testing.T) {
	t.Parallel()
	handler := setup(t)
	for _, path := range []string{"/playground", "/playground/", "/playground/assets/index-B0t44t9e.js", "/playground/none"} {
		header := get(handler, path, "", "").Header()
		policy := strings.Split(header.Get("Content-Security-Policy"), "; ")
		for _, rule := range []string{
			"default-src 'none'", "script-src 'self'", "connect-src 'self'",
			"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
		} {
			require.Contains(t, policy, rule, path)
		}
		require.NotContains(t, header.Get("Content-Security-Policy"), "http", path)
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"), path)
	}
}

func TestHandlerOfAnUnbuiltPageSaysHowToBuildIt(t *testing.T) {
	t.Parallel()
	handler := newHandler(fstest.MapFS{".keep": {}})

	answer := get(handler, "/playground/", "", "")

	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
	require.Contains(t, answer.Body.String(), "make playground")
	require.NotEmpty(t, answer.Header().Get("Content-Security-Policy"))
	require.Equal(t, http.StatusTemporaryRedirect, get(handler, "/playground", "", "").Code)
}

func TestHandlerServesThePageThatIsBuiltIn(t *testing.T) {
	t.Parallel()
	answer := get(Handler(), "/playground/", "", "")
	if Built() {
		require.Equal(t, http.StatusOK, answer.Code)
		require.Contains(t, answer.Body.String(), "<title>crmgraph</title>")
	} else {
		require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	}
}

func TestLoadRefusesAFileItCannotName(t *testing.T) {
	t.Parallel()
	_, err := load(fstest.MapFS{"assets/font-1234.eot.gz": {Data: zip(t, "font")}})
	require.ErrorContains(t, err, "assets/font-1234.eot")
}

const script = "export const tabs = []"

func setup(t *testing.T) http.Handler {
	t.Helper()
	return newHandler(fstest.MapFS{
		".keep":                       {},
		"index.html.gz":               {Data: zip(t, "<p>page</p>")},
		"assets/index-B0t44t9e.js.gz": {Data: zip(t, script)},
	})
}

func get(handler http.Handler, path, header, value string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, path, nil)
	if value != "" {
		request.Header.Set(header, value)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func send(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

func zip(t *testing.T, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, err := io.WriteString(writer, text)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return buffer.Bytes()
}

func gunzip(t *testing.T, data []byte) string {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(text)
}
