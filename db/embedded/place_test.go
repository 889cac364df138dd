//go:build linux || darwin

package embedded

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMakeDir(t *testing.T) {
	t.Parallel()

	t.Run("makes it with the mode asked for, and parents", func(t *testing.T) {
		t.Parallel()
		dir, err := makeDir(filepath.Join(place(t), "a", "b"), 0o711)
		require.NoError(t, err)
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o711), info.Mode().Perm())
	})

	t.Run("leaves an existing one as it is", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(place(t), "state")
		require.NoError(t, os.Mkdir(dir, 0o750))
		require.NoError(t, os.Chmod(dir, 0o750))
		_, err := makeDir(dir, 0o700)
		require.NoError(t, err)
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o750), info.Mode().Perm())
	})

	t.Run("refuses one of somebody else", func(t *testing.T) {
		t.Parallel()
		_, err := makeDir(somebodyElses(t), 0o700)
		require.ErrorContains(t, err, "belongs to somebody else")
	})

	t.Run("refuses one below somebody else's", func(t *testing.T) {
		t.Parallel()
		// Only root can give a directory away; others look at one they cannot change.
		info, err := os.Lstat(somebodyElses(t))
		require.NoError(t, err)
		require.ErrorContains(t, checkLast("it", info), "belongs to somebody else")
		if os.Geteuid() == 0 {
			_, err := makeDir(filepath.Join(somebodyElses(t), "deeper"), 0o700)
			require.ErrorContains(t, err, "belongs to somebody else")
		}
	})

	t.Run("refuses one anybody can write to", func(t *testing.T) {
		t.Parallel()
		_, err := makeDir(openPlace(t), 0o700)
		require.ErrorContains(t, err, "written to by anybody")
	})

	t.Run("refuses a link where anybody could have put it", func(t *testing.T) {
		t.Parallel()
		link := filepath.Join(openPlace(t), "state")
		require.NoError(t, os.Symlink(place(t), link))
		_, err := makeDir(link, 0o700)
		require.ErrorContains(t, err, "symbolic link")
		_, err = makeDir(filepath.Join(link, "deeper"), 0o700)
		require.ErrorContains(t, err, "symbolic link")
	})

	t.Run("refuses a file", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(place(t), "state")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, err := makeDir(file, 0o700)
		require.ErrorContains(t, err, "not a directory")
	})
}

func TestCheckPath(t *testing.T) {
	t.Parallel()
	other := account{uid: 4242, gid: 4242}
	closed := filepath.Join(place(t), "closed")
	dir := filepath.Join(closed, "state")
	require.NoError(t, os.MkdirAll(dir, 0o711))
	require.NoError(t, os.Chmod(dir, 0o711))

	require.NoError(t, os.Chmod(closed, 0o711))
	require.NoError(t, checkPath(dir, other))

	require.NoError(t, os.Chmod(closed, 0o700))
	require.ErrorContains(t, checkPath(dir, other), "may not enter "+closed)

	me := account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	require.NoError(t, checkPath(dir, me), "one's own directory may be closed to others")
}

func TestDefaultStateDir(t *testing.T) { // not parallel: it sets the environment
	data := t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	dir, err := defaultStateDir("crmgraph-test")
	require.NoError(t, err)
	if os.Geteuid() == 0 {
		require.Equal(t, "/var/lib/crmgraph-test", dir, "root's is the system's")
	} else {
		require.Equal(t, filepath.Join(data, "crmgraph-test"), dir)
	}

	_, err = defaultStateDir("")
	require.Error(t, err)
}

// openPlace is a directory anybody may write to.
func openPlace(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(place(t), "open")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Chmod(dir, 0o777|os.ModeSticky))
	return dir
}

// somebodyElses is a directory of another account: root's, or for root one given
// away.
func somebodyElses(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return "/usr"
	}
	dir := filepath.Join(place(t), "given-away")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Chown(dir, 4242, 4242))
	return dir
}
