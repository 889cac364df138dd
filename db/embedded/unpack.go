//go:build linux || darwin

package embedded

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// payload is the part of a package that holds the server.
const payload = "native"

// unpack writes the server of a package into a new directory.
func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // nothing below can be written outside of it
	if err != nil {
		return err
	}
	defer root.Close()
	if err := unpackFiles(tar.NewReader(unzipped), root); err != nil {
		return err
	}
	if err := openDirectories(root); err != nil {
		return err
	}
	return makeLinks(root)
}

// openDirectories lets other accounts in, whatever the umask says: root's server
// runs as one of them.
func openDirectories(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return root.Chmod(name, 0o755)
	})
}

func unpackFiles(archive *tar.Reader, root *os.Root) error {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := inPayload(strings.TrimPrefix(header.Name, "package/"))
		if errors.Is(err, errNotPayload) {
			continue
		}
		if err == nil {
			err = unpackFile(archive, header, root, name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

var errNotPayload = errors.New("not part of the server")

// inPayload returns a path of the package relative to the server in it.
func inPayload(name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", errors.New("leads out of the package")
	}
	name, ok := strings.CutPrefix(path.Clean(name), payload+"/")
	if !ok {
		return "", errNotPayload
	}
	return name, nil
}

func unpackFile(content io.Reader, header *tar.Header, root *os.Root, name string) error {
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeReg:
	default:
		return fmt.Errorf("unexpected kind of entry %q", header.Typeflag)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if header.Mode&0o100 != 0 {
		mode = 0o755
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, content, header.Size)
	return errors.Join(err, f.Chmod(mode), f.Close())
}

// makeLinks makes the symbolic links an npm package cannot hold, and lists
// instead. Without them the server does not find its libraries.
func makeLinks(root *os.Root) error {
	text, err := root.ReadFile("pg-symlinks.json")
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, link := range links {
		if err := makeLink(root, link.Source, link.Target); err != nil {
			return fmt.Errorf("link %s to %s: %w", link.Target, link.Source, err)
		}
	}
	return nil
}

func makeLink(root *os.Root, source, target string) error {
	source, sourceErr := inPayload(source)
	target, targetErr := inPayload(target)
	if err := errors.Join(sourceErr, targetErr); err != nil {
		return err
	}
	relative, err := filepath.Rel(path.Dir(target), source)
	if err != nil {
		return err
	}
	return root.Symlink(relative, target)
}
