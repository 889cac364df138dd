package playground

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const contractsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Contracts – crmgraph</title>
</head>
<body>
<h1>Contracts</h1>
<ul>
%s</ul>
</body>
</html>
`

// Contracts serves OpenAPI documents, given by name: a list of them at /openapi, and
// below it each one as name.yaml, and under its bare name a page that shows it. What
// [Handler] says of other paths, methods and hosts, and of pages that are not built,
// holds here as well.
func Contracts(documents map[string][]byte) http.Handler { return newContracts(built(), documents) }

func newContracts(dist fs.FS, documents map[string][]byte) http.Handler {
	mux := http.NewServeMux()
	page := mount(mux, "/openapi/", dist, "openapi.html")
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		fmt.Fprintf(&list, `<li><a href="openapi/%[1]s">%[1]s</a> (<a href="openapi/%[1]s.yaml">OpenAPI</a>)</li>`+"\n", name)
		mux.Handle("GET /openapi/"+name, page)
		etag := fmt.Sprintf(`"%x"`, sha256.Sum256(documents[name]))
		mux.HandleFunc("GET /openapi/"+name+".yaml", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/yaml")
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("ETag", etag)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(documents[name]))
		})
	}
	mux.HandleFunc("GET /openapi", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, contractsPage, list.String())
	})
	return secured(mux)
}
