package playground

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// contentTypes is fixed here because the system's own table may lack an entry
// or name another type, and browsers refuse scripts of a wrong type.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

// file is one built file, compressed at build time. It is read when it is asked for: the embedded
// bytes are part of the program, a copy of them would be megabytes on the heap for good.
type file struct {
	name        string // path below the page, without .gz
	dist        fs.FS
	hash        string
	contentType string
}

// gzipped is the file as it was built.
func (f file) gzipped() ([]byte, error) { return fs.ReadFile(f.dist, f.name+".gz") }

// load reads every .gz file of a build; other files are not part of the pages.
func load(dist fs.FS) ([]file, error) {
	var files []file
	err := fs.WalkDir(dist, ".", func(filePath string, entry fs.DirEntry, err error) error {
		name, isBuilt := strings.CutSuffix(filePath, ".gz")
		if err != nil || entry.IsDir() || !isBuilt {
			return err
		}
		contentType, known := contentTypes[path.Ext(name)]
		if !known {
			return fmt.Errorf("playground: no content type for %s", name)
		}
		f := file{name: name, dist: dist, contentType: contentType}
		gzipped, err := f.gzipped()
		if err != nil {
			return err
		}
		sum := sha256.Sum256(gzipped)
		f.hash = hex.EncodeToString(sum[:8])
		files = append(files, f)
		return nil
	})
	return files, err
}

func (f file) isPage() bool { return path.Ext(f.name) == ".html" }

// ServeHTTP answers with the file, compressed for clients that accept gzip. The
// build names every file but the pages by its content, so those never change.
func (f file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	if f.isPage() {
		header.Set("Cache-Control", "no-cache")
	}
	header.Set("Vary", "Accept-Encoding")

	body, err := f.gzipped()
	etag := f.hash + "-gzip"
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
	} else if err == nil {
		body, err = plain(body)
		etag = f.hash
	}
	if err != nil {
		http.Error(w, "damaged file", http.StatusInternalServerError)
		return
	}
	header.Set("ETag", strconv.Quote(etag))
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(body))
}

func plain(gzipped []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(gzipped))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// acceptsGzip reads Accept-Encoding: gzip or a wildcard, unless its weight is 0.
func acceptsGzip(values []string) bool {
	weights := map[string]float64{}
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, parameter, _ := strings.Cut(item, ";")
		weight := 1.0
		if q, given := strings.CutPrefix(strings.TrimSpace(parameter), "q="); given {
			weight, _ = strconv.ParseFloat(q, 64) // malformed: not accepted
		}
		weights[strings.ToLower(strings.TrimSpace(coding))] = weight
	}
	if weight, named := weights["gzip"]; named {
		return weight > 0
	}
	return weights["*"] > 0
}
