package keyfile_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/keyfile"
)

// fresh is a secret that nobody else has.
func fresh() ([]byte, error) { return []byte(rand.Text()), nil }

func TestOpenMakesTheFileOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "crmgraph", "secret.key")
	first, err := keyfile.Open(path, fresh)
	require.NoError(t, err)
	require.NotEmpty(t, first)
	second, err := keyfile.Open(path, func() ([]byte, error) {
		t.Error("a secret was made although there is one")
		return fresh()
	})
	require.NoError(t, err)
	require.Equal(t, first, second)

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	requireAlone(t, path)
}

// requireAlone asserts that nothing is beside the file, such as a draft.
func requireAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestRacingCreatorsAgree(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "secret.key")
	const racers = 16
	// Nobody has seen a file before everybody makes one.
	var ready, all sync.WaitGroup
	ready.Add(racers)
	opened := make([]string, racers)
	for i := range racers {
		all.Go(func() {
			content, err := keyfile.Open(path, func() ([]byte, error) {
				ready.Done()
				ready.Wait()
				return fresh()
			})
			if err != nil {
				t.Errorf("open: %v", err)
			}
			opened[i] = string(content)
		})
	}
	all.Wait()
	require.NotEmpty(t, opened[0])
	for _, content := range opened {
		require.Equal(t, opened[0], content)
	}
	requireAlone(t, path)
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o601, 0o666, 0o777} {
		t.Run("one that others have access to: "+mode.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret.key")
			_, err := keyfile.Open(path, fresh)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(path, mode))
			content, err := keyfile.Open(path, fresh)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, "only its owner")
			require.Empty(t, content)
		})
	}
	t.Run("an empty one, which is left as it is", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "secret.key")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		_, err := keyfile.Open(path, fresh)
		require.ErrorContains(t, err, "is empty")
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Zero(t, info.Size())
	})
	t.Run("a directory", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "secret.key")
		require.NoError(t, os.Mkdir(path, 0o700))
		_, err := keyfile.Open(path, fresh)
		require.Error(t, err)
	})
}

func TestStricterModesAreFine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.key")
	require.NoError(t, os.WriteFile(path, []byte("secret"), 0o400))
	content, err := keyfile.Open(path, fresh)
	require.NoError(t, err)
	require.Equal(t, "secret", string(content))
}

func TestAFailureLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	t.Run("when no secret can be made", func(t *testing.T) {
		t.Parallel()
		dir, broken := t.TempDir(), errors.New("no entropy")
		_, err := keyfile.Open(filepath.Join(dir, "secret.key"), func() ([]byte, error) { return nil, broken })
		require.ErrorIs(t, err, broken)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	})
	t.Run("when the directory is a file", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "state")
		require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
		_, err := keyfile.Open(filepath.Join(file, "secret.key"), fresh)
		require.Error(t, err)
		requireAlone(t, file)
	})
}

func TestAPathWithoutADirectoryIsInTheCurrentOne(t *testing.T) { // not parallel: it changes the directory
	t.Chdir(t.TempDir())
	content, err := keyfile.Open("secret.key", fresh)
	require.NoError(t, err)
	onDisk, err := os.ReadFile("secret.key")
	require.NoError(t, err)
	require.Equal(t, onDisk, content)
}
