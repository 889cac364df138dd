package playground

import (
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func contracts(t *testing.T) http.Handler {
	t.Helper()
	return newContracts(fstest.MapFS{
		"index.html.gz":                 {Data: zip(t, "<p>playground</p>")},
		"openapi.html.gz":               {Data: zip(t, "<p>contract</p>")},
		"assets/openapi-B0t44t9e.js.gz": {Data: zip(t, script)},
	}, map[string][]byte{"durion": []byte("openapi: 3.1.0"), "atlas": []byte("openapi: 3.1.1")})
}

func TestContractsServesDocumentsAndTheirPages(t *testing.T) {
	t.Parallel()
	handler := contracts(t)
	for path, want := range map[string]struct{ contentType, body string }{
		"/openapi/durion":                     {"text/html; charset=utf-8", "<p>contract</p>"},
		"/openapi/atlas":                      {"text/html; charset=utf-8", "<p>contract</p>"},
		"/openapi/durion.yaml":                {"application/yaml", "openapi: 3.1.0"},
		"/openapi/atlas.yaml":                 {"application/yaml", "openapi: 3.1.1"},
		"/openapi/assets/openapi-B0t44t9e.js": {"text/javascript; charset=utf-8", script},
	} {
		answer := get(handler, path, "", "")
		require.Equal(t, http.StatusOK, answer.Code, path)
		require.Equal(t, want.contentType, answer.Header().Get("Content-Type"), path)
		require.Equal(t, want.body, answer.Body.String(), path)
		require.Equal(t, contentSecurityPolicy, answer.Header().Get("Content-Security-Policy"), path)
	}
}

func TestContractsListsThem(t *testing.T) {
	t.Parallel()
	answer := get(contracts(t), "/openapi", "", "")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Regexp(t, `(?s)href="openapi/atlas">.*href="openapi/atlas.yaml">.*href="openapi/durion">.*href="openapi/durion.yaml">`, answer.Body.String())
	require.Equal(t, contentSecurityPolicy, answer.Header().Get("Content-Security-Policy"))
}

func TestContractsAnswersAKnownDocumentWithoutBody(t *testing.T) {
	t.Parallel()
	handler := contracts(t)
	known := get(handler, "/openapi/durion.yaml", "", "").Header().Get("ETag")
	require.Equal(t, http.StatusNotModified, get(handler, "/openapi/durion.yaml", "If-None-Match", known).Code)
	require.Equal(t, http.StatusOK, get(handler, "/openapi/atlas.yaml", "If-None-Match", known).Code)
}

func TestContractsOnlyReadsWhatThereIs(t *testing.T) {
	t.Parallel()
	handler := contracts(t)
	require.Equal(t, http.StatusMethodNotAllowed, send(handler, http.MethodPost, "/openapi/durion").Code)
	for _, path := range []string{"/openapi/none", "/openapi/none.yaml", "/openapi/durion/", "/openapi/index.html", "/openapi/"} {
		require.Equal(t, http.StatusNotFound, get(handler, path, "", "").Code, path)
	}
}

func TestContractsWithoutThePageStillServesTheDocuments(t *testing.T) {
	t.Parallel()
	handler := newContracts(fstest.MapFS{".keep": {}}, map[string][]byte{"durion": []byte("openapi: 3.1.0")})
	require.Equal(t, http.StatusServiceUnavailable, get(handler, "/openapi/durion", "", "").Code)
	require.Equal(t, http.StatusOK, get(handler, "/openapi/durion.yaml", "", "").Code)
}
