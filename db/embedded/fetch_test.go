//go:build linux || darwin

package embedded

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFetch(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	o.CacheDir = filepath.Join(o.StateDir, "cache")
	o.Log = io.Discard
	run, err := chooseAccount("", "/nonexistent")
	require.NoError(t, err)

	offline := o
	offline.Offline = true
	_, err = fetched(t.Context(), offline, run, 0)
	require.ErrorIs(t, err, errOffline)

	if _, err := exec.LookPath("npm"); err != nil {
		_, err := fetched(t.Context(), o, run, 0)
		require.ErrorIs(t, err, exec.ErrNotFound, "without npm nothing can be fetched")
		return
	}

	bin, err := fetched(t.Context(), o, run, 0)
	require.NoError(t, err)
	require.Equal(t, fitting(0)[0].major, bin.major)
	again, err := fetched(t.Context(), offline, run, bin.major)
	require.NoError(t, err, "what was fetched is there offline")
	require.Equal(t, bin, again)
	require.NoDirExists(t, filepath.Join(o.CacheDir, "fetching"), "the archive is removed")

	o.BinDir = bin.dir
	url := mustOpen(t, o).URL("postgres")
	require.Equal(t, "é", query(t, url, `SELECT lower('É')`))
	execute(t, url, `CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gist; CREATE EXTENSION unaccent`)
}

func TestInstall(t *testing.T) {
	t.Parallel()
	archive := pressed(t, tar.Header{Name: "package/native/pg-symlinks.json", Linkname: "[]"})
	home := filepath.Join(filepath.Dir(archive), "postgres")

	err := install(archive, fitting(0)[0].digests[platform()], home)
	require.ErrorContains(t, err, "expected is", "the digest is another package's")
	require.NoDirExists(t, home, "what is not verified is not unpacked")

	content, err := os.ReadFile(archive)
	require.NoError(t, err)
	digest := sha512.Sum512(content)
	require.NoError(t, install(archive, base64.StdEncoding.EncodeToString(digest[:]), home))
	require.FileExists(t, filepath.Join(home, "pg-symlinks.json"))
}

func TestNoneFoundNamesTheWaysOut(t *testing.T) {
	t.Parallel()
	err := noneFound(16, errOffline)
	require.ErrorIs(t, err, errOffline)
	for _, way := range []string{"PostgreSQL 16", "install", "directory", "DATABASE_URL"} {
		require.ErrorContains(t, err, way)
	}
}

func TestReleases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, r := range releases() {
		require.Equal(t, newestMajor-i, r.major, "every supported version, the newest first")
		require.Equal(t, r.major, majorOf(r.version))
		for platform, digest := range r.digests {
			require.Len(t, digest, 88, "a SHA-512 in base64: %s %s", r.version, platform)
			require.False(t, seen[digest], "copied twice: %s %s", r.version, platform)
			seen[digest] = true
		}
	}
	require.Len(t, releases(), newestMajor-oldestMajor+1)
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	const links = "package/native/pg-symlinks.json"

	t.Run("writes the server and its links", func(t *testing.T) {
		t.Parallel()
		dir, err := unpacked(t,
			tar.Header{Name: "package/package.json"},
			tar.Header{Name: "package/native/bin/initdb", Mode: 0o755, Linkname: "program"},
			tar.Header{Name: "package/native/lib/libpq.so.5.18", Mode: 0o600, Linkname: "library"},
			tar.Header{Name: links, Linkname: `[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]`},
		)
		require.NoError(t, err)
		content, err := os.ReadFile(filepath.Join(dir, "lib", "libpq.so.5"))
		require.NoError(t, err)
		require.Equal(t, "library", string(content))
		for name, mode := range map[string]os.FileMode{"bin": 0o755, "bin/initdb": 0o755, "lib/libpq.so.5.18": 0o644} {
			info, err := os.Stat(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, mode, info.Mode().Perm(), name)
		}
		require.NoFileExists(t, filepath.Join(dir, "package.json"))
	})

	for name, entry := range map[string]tar.Header{
		"a path out of the package":  {Name: "package/../../evil"},
		"a path out of the server":   {Name: "package/native/../../../evil"},
		"an absolute path":           {Name: "/evil"},
		"a symbolic link":            {Name: "package/native/lib/evil", Typeflag: tar.TypeSymlink, Linkname: "/etc"},
		"a hard link":                {Name: "package/native/lib/evil", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		"a listed link to elsewhere": {Name: links, Linkname: `[{"source":"../../etc/passwd","target":"native/evil"}]`},
		"a listed link at elsewhere": {Name: links, Linkname: `[{"source":"native/lib","target":"native/../../../evil"}]`},
		"a listed link beside it":    {Name: links, Linkname: `[{"source":"native/lib","target":"evil"}]`},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			entries := []tar.Header{entry}
			if entry.Name != links {
				entries = append(entries, tar.Header{Name: links, Linkname: "[]"})
			}
			dir, err := unpacked(t, entries...)
			require.Error(t, err)
			for _, evil := range []string{"evil", "../evil", "../../evil", "lib/evil"} {
				_, err := os.Lstat(filepath.Join(dir, evil))
				require.ErrorIs(t, err, os.ErrNotExist)
			}
		})
	}

	t.Run("refuses a truncated archive", func(t *testing.T) {
		t.Parallel()
		archive := pressed(t, tar.Header{Name: "package/native/bin/initdb", Linkname: strings.Repeat("x", 1<<16)})
		info, err := os.Stat(archive)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(archive, info.Size()/2))
		require.Error(t, unpack(archive, filepath.Join(filepath.Dir(archive), "home")))
	})
}

// unpacked unpacks an archive of the entries and returns where to.
func unpacked(t *testing.T, entries ...tar.Header) (string, error) {
	t.Helper()
	archive := pressed(t, entries...)
	dir := filepath.Join(filepath.Dir(archive), "a", "b", "home")
	require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o700))
	return dir, unpack(archive, dir)
}

// pressed writes an archive. The content of a regular file is its Linkname.
func pressed(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "package.tgz"))
	require.NoError(t, err)
	zipped := gzip.NewWriter(f)
	archive := tar.NewWriter(zipped)
	for _, entry := range entries {
		content := ""
		if entry.Typeflag == 0 {
			entry.Typeflag, content, entry.Linkname = tar.TypeReg, entry.Linkname, ""
			entry.Size = int64(len(content))
		}
		require.NoError(t, archive.WriteHeader(&entry))
		_, err := io.WriteString(archive, content)
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	require.NoError(t, zipped.Close())
	require.NoError(t, f.Close())
	return f.Name()
}
