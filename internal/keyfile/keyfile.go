// Package keyfile keeps secrets that the program makes for itself in files.
package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Open returns the content of the file at path, which generate makes when there is none,
// with its directory. The file has mode 0600 and appears complete or not at all, so that
// processes that start at the same time agree on one content. It is an error when others
// than the owner may have access to it, and when it is empty, for an empty secret is none.
func Open(path string, generate func() ([]byte, error)) ([]byte, error) {
	content, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if err := create(path, generate); err != nil {
		return nil, err
	}
	return read(path)
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %#o: only its owner may have access", path, mode)
	}
	content, err := os.ReadFile(path)
	if err == nil && len(content) == 0 {
		err = fmt.Errorf("%s is empty: delete it to have a new one made", path)
	}
	return content, err
}

// create writes a new file, unless another process has just done so.
func create(path string, generate func() ([]byte, error)) (err error) {
	content, err := generate()
	if err != nil {
		return err
	}
	dir, name := filepath.Dir(path), filepath.Base(path)
	// The embedded database's account must be able to reach its data below the same
	// directory; the file protects itself.
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, "."+name+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(draft.Name())) }()
	_, err = draft.Write(content)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	// Unlike a rename, a link never replaces the file of whoever was faster.
	if err := os.Link(draft.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
