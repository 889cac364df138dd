//go:build linux || darwin

package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// StateDir returns the directory in which an application keeps what must
// survive, and makes it if need be: /var/lib/<app> for root, otherwise
// $XDG_DATA_HOME/<app> or ~/.local/share/<app>. The cluster lives in its
// subdirectory "postgres"; other files may be put beside that.
func StateDir(app string) (string, error) {
	dir, err := defaultStateDir(app)
	if err != nil {
		return "", fmt.Errorf("state directory: %w", err)
	}
	return makePrivate(dir)
}

func defaultStateDir(app string) (string, error) {
	if app == "" {
		return "", errors.New("an application name is missing")
	}
	if os.Geteuid() == 0 {
		return filepath.Join("/var/lib", app), nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, app), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "share", app), nil
}

// cacheDir returns the directory for fetched binaries, and makes it if need be.
// The server's account has to get at it, whoever that is.
func cacheDir(o Options) (string, error) {
	dir := o.CacheDir
	switch {
	case dir != "":
	case os.Geteuid() == 0:
		dir = filepath.Join("/var/cache", o.App)
	default:
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(cache, o.App)
	}
	return makeDir(dir, 0o755)
}

// makePrivate makes a directory whose content is this user's business. Root's
// may be passed through, because the server's account has to.
func makePrivate(dir string) (string, error) {
	if os.Geteuid() == 0 {
		return makeDir(dir, 0o711)
	}
	return makeDir(dir, 0o700)
}

// makeDir makes a directory and its parents, leaves an existing one as it is, and
// returns its absolute path free of symbolic links. A directory that somebody
// else could have put there is refused.
func makeDir(dir string, mode fs.FileMode) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	err = os.Mkdir(dir, mode)
	if err == nil {
		err = os.Chmod(dir, mode) // whatever the umask says
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err := checkOwned(dir); err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	return dir, checkOwned(dir)
}

// checkOwned refuses a directory that is not ours, and one below a directory
// anybody may write to unless every step from there on is ours or root's, and no
// link.
func checkOwned(dir string) error {
	open := false
	for _, step := range steps(dir) {
		info, err := os.Lstat(step)
		if err != nil {
			return err
		}
		uid := int(ownerOf(info).uid)
		link := info.Mode()&fs.ModeSymlink != 0
		switch {
		case open && link:
			return fmt.Errorf("%s is a symbolic link in a place anybody can write to", step)
		case open && uid != 0 && uid != os.Geteuid():
			return fmt.Errorf("%s belongs to somebody else (uid %d)", step, uid)
		}
		if step == dir && !link {
			return checkLast(dir, info)
		}
		open = open || info.IsDir() && info.Mode()&0o002 != 0
	}
	return nil
}

func checkLast(dir string, info fs.FileInfo) error {
	switch uid := int(ownerOf(info).uid); {
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	case uid != os.Geteuid():
		return fmt.Errorf("%s belongs to somebody else (uid %d)", dir, uid)
	case info.Mode()&0o002 != 0:
		return fmt.Errorf("%s can be written to by anybody (mode %#o)", dir, info.Mode().Perm())
	}
	return nil
}

// checkPath refuses a directory the account could not reach.
func checkPath(dir string, a account) error {
	if !a.foreign() {
		return nil
	}
	for _, step := range steps(dir) {
		info, err := os.Stat(step)
		if err != nil {
			return err
		}
		if !a.mayEnter(info) {
			return fmt.Errorf("PostgreSQL has to run as uid %d, which may not enter %s (mode %#o): "+
				"choose another state directory, or allow it with chmod o+x", a.uid, step, info.Mode().Perm())
		}
	}
	return nil
}

func (a account) mayEnter(info fs.FileInfo) bool {
	owner, mode := ownerOf(info), info.Mode()
	switch {
	case owner.uid == a.uid:
		return mode&0o100 != 0
	case owner.gid == a.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}

// steps lists the directories from the root down to dir, dir included.
func steps(dir string) []string {
	list := []string{"/"}
	for i, name := range strings.Split(strings.TrimPrefix(dir, "/"), "/") {
		list = append(list, filepath.Join(list[i], name))
	}
	return list
}
