//go:build linux || darwin

package embedded

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// fetched returns binaries from the cache, or fetches them into it.
func fetched(ctx context.Context, o Options, run account, major int) (binaries, error) {
	choice := fitting(major)
	if len(choice) == 0 {
		return binaries{}, fmt.Errorf("there is no package for %s", platform())
	}
	cache, err := cacheDir(o)
	if err != nil {
		return binaries{}, err
	}
	for _, r := range choice {
		if _, err := os.Stat(r.home(cache)); err == nil {
			return probe(ctx, run, r.bin(cache))
		}
	}
	if o.Offline {
		return binaries{}, errOffline
	}
	if err := fetch(ctx, choice[0], cache, o.Log); err != nil {
		return binaries{}, err
	}
	return probe(ctx, run, choice[0].bin(cache))
}

// home is where a release is unpacked to.
func (r release) home(cache string) string {
	return filepath.Join(cache, "postgres-"+platform()+"-"+r.version)
}

// bin is where its programs are.
func (r release) bin(cache string) string { return filepath.Join(r.home(cache), "bin") }

// fetch puts a release into the cache: whole, verified, or not at all.
func fetch(ctx context.Context, r release, cache string, log io.Writer) error {
	lock, err := acquire(ctx, filepath.Join(cache, "lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(r.home(cache)); err == nil {
		return nil // another process was faster
	}
	work := filepath.Join(cache, "fetching")
	if err := os.RemoveAll(work); err != nil { // of a process that was killed
		return err
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(work)

	fmt.Fprintf(log, "fetching PostgreSQL %s for %s with npm\n", r.version, platform())
	archive, err := pack(ctx, r, work)
	if err != nil {
		return err
	}
	return install(archive, r.digests[platform()], r.home(cache))
}

// install unpacks an archive that has the digest. The directory appears when it
// is complete.
func install(archive, digest, home string) error {
	if err := verify(archive, digest); err != nil {
		return err
	}
	fresh := filepath.Join(filepath.Dir(archive), "home")
	if err := unpack(archive, fresh); err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(archive), err)
	}
	return os.Rename(fresh, home)
}

// pack has npm download the package. Where from is the business of the user's
// own npm configuration.
func pack(ctx context.Context, r release, dir string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", err
	}
	name := "@embedded-postgres/" + platform() + "@" + r.version
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--ignore-scripts", name)
	cmd.Dir = dir // npm writes here, and reads no project's settings
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w\n%s", name, errors.Join(err, ctx.Err()), out)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil {
		return "", err
	}
	if len(archives) != 1 {
		return "", fmt.Errorf("npm pack %s left %d archives instead of one", name, len(archives))
	}
	return archives[0], nil
}

// verify compares a file with the SHA-512 it must have.
func verify(path, digest string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != digest {
		return fmt.Errorf("%s has the SHA-512 %s, expected is %s", filepath.Base(path), got, digest)
	}
	return nil
}
