// Package playground serves pages for people: GraphiQL with tabs that run against
// the seed data, a schema explorer, and a switch of tenant and role; and a page
// that shows the OpenAPI documents of the legacy contracts. Everything the pages
// need is embedded; they talk to no other host.
//
// They are built from the sources in this folder by npm (make playground) and are
// not committed. A program compiled without them says how to build them.
package playground

import (
	"embed"
	"io"
	"io/fs"
	"net/http"
)

// contentSecurityPolicy allows this origin only. The editor sets inline styles
// and carries its fonts inside its style sheets.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const unbuiltPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>crmgraph</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 40rem; padding: 0 1rem }</style>
</head>
<body>
<h1>This page is not built</h1>
<p>The program was compiled without it. Run <code>make playground</code> (it needs Node.js), then start
the program again. Everything but its pages works without that.</p>
</body>
</html>
`

//go:embed all:dist
var embedded embed.FS

// Built reports whether the pages were built before this program was compiled.
func Built() bool {
	for _, page := range []string{"index", "openapi"} {
		if _, err := fs.Stat(embedded, "dist/"+page+".html.gz"); err != nil {
			return false
		}
	}
	return true
}

// Handler serves the playground at /playground/ and redirects /playground
// there. Unknown paths below it are 404 whatever the method, other methods than
// GET and HEAD are 405, and every answer forbids other hosts by its content
// security policy.
//
// The page posts {"tenant","role"} to /playground/token and expects
// {"token","expiresAt"}; a 404 there makes it ask for a bearer token instead. It
// queries /graphql. Both are found relative to the page and are the caller's to
// serve.
//
// When the page is not built, /playground/ answers 503 with a page that says how
// to build it, so that no script takes it for the playground.
func Handler() http.Handler {
	return newHandler(built())
}

func built() fs.FS {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return dist
}

func newHandler(dist fs.FS) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /playground", redirectToPage)
	mux.Handle("GET /playground/{$}", mount(mux, "/playground/", dist, "index.html"))
	return secured(mux)
}

// mount serves what the pages of a build load, below a prefix, and returns the page
// of the name.
func mount(mux *http.ServeMux, prefix string, dist fs.FS, page string) http.Handler {
	files, err := load(dist)
	if err != nil {
		panic(err) // embedded files are read from memory
	}
	named := http.Handler(http.HandlerFunc(serveUnbuilt))
	for _, f := range files {
		if !f.isPage() {
			mux.Handle("GET "+prefix+f.name, f)
		} else if f.name == page {
			named = f
		}
	}
	return named
}

// secured forbids other hosts.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// redirectToPage names the page relative to the request, so that it is found
// behind a proxy that adds a path prefix too.
func redirectToPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "playground/")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func serveUnbuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, unbuiltPage) // the client may be gone
}
