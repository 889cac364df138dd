//go:build linux || darwin

package embedded

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// anyBinaries are those the tests run with: installed ones, else fetched ones.
func anyBinaries(t *testing.T) binaries {
	t.Helper()
	run, err := chooseAccount("", "/nonexistent")
	require.NoError(t, err)
	bin, err := find(t.Context(), Options{App: "crmgraph"}.withDefaults(), run, 0)
	require.NoError(t, err)
	return bin
}

func TestOpenRefusesDataOfAnotherVersion(t *testing.T) {
	t.Parallel()
	bin := anyBinaries(t)
	other := newestMajor
	if bin.major == newestMajor {
		other = oldestMajor
	}
	for name, tc := range map[string]struct {
		version string
		change  func(o *Options)
		says    string
	}{
		"than the binaries named": {
			version: strconv.Itoa(other),
			change:  func(o *Options) { o.BinDir = bin.dir },
			says:    "the cluster is of PostgreSQL " + strconv.Itoa(other),
		},
		"than is supported":  {version: "13", says: "versions 14 to 18 are supported"},
		"that is unreadable": {version: "nonsense", says: "is no PostgreSQL data directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, c := options(t)
			if tc.change != nil {
				tc.change(&o)
			}
			version := filepath.Join(c.data(), "PG_VERSION")
			precious := filepath.Join(c.data(), "base", "precious")
			require.NoError(t, os.MkdirAll(filepath.Dir(precious), 0o700))
			require.NoError(t, os.WriteFile(version, []byte(tc.version+"\n"), 0o600))
			require.NoError(t, os.WriteFile(precious, []byte("rows"), 0o600))
			if os.Geteuid() == 0 {
				run, err := chooseAccount("", "/nonexistent")
				require.NoError(t, err)
				require.NoError(t, run.own(c.data()))
			}

			_, err := Open(t.Context(), o)
			require.ErrorContains(t, err, tc.says)
			rows, err := os.ReadFile(precious)
			require.NoError(t, err)
			require.Equal(t, "rows", string(rows))
			require.FileExists(t, version)
		})
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	bin := anyBinaries(t)
	run, err := chooseAccount("", "/nonexistent")
	require.NoError(t, err)

	t.Run("accepts a server", func(t *testing.T) {
		t.Parallel()
		got, err := probe(t.Context(), run, bin.dir)
		require.NoError(t, err)
		require.Equal(t, bin, got)
	})

	t.Run("refuses a directory without one", func(t *testing.T) {
		t.Parallel()
		_, err := probe(t.Context(), run, place(t))
		require.ErrorIs(t, err, os.ErrNotExist)
	})

	// initdb only answers what it would say in each of these cases.
	for name, tc := range map[string]struct{ answer, says string }{
		"refuses an unsupported version": {"echo VERSION=13.4; echo share_path=/nonexistent", "PostgreSQL 13.4"},
		"refuses one without extensions": {"echo VERSION=16.1; echo share_path=/nonexistent", "lacks its contrib extensions"},
		"refuses one that does not run":  {"echo no such library; exit 1", "no such library"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t)
			for _, program := range []string{"initdb", "postgres"} {
				path := filepath.Join(dir, program)
				require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+tc.answer+"\n"), 0o600))
				require.NoError(t, os.Chmod(path, 0o755))
			}
			_, err := probe(t.Context(), run, dir)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestMajorOf(t *testing.T) {
	t.Parallel()
	for version, major := range map[string]int{
		"15.18 (Debian 15.18-0+deb12u1)": 15, "18beta1": 18, "17": 17, "": 0, "devel": 0,
	} {
		require.Equal(t, major, majorOf(version), version)
	}
}

func TestChooseAccount(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		me, err := chooseAccount("nobody", "/nonexistent")
		require.NoError(t, err)
		require.Equal(t, os.Geteuid(), int(me.uid), "only root can be somebody else")
		return
	}
	named, err := chooseAccount("nobody", "/nonexistent")
	require.NoError(t, err)
	nobody, err := lookup("nobody")
	require.NoError(t, err)
	require.Equal(t, nobody, named)

	owner, err := chooseAccount("nobody", somebodyElses(t))
	require.NoError(t, err)
	require.Equal(t, account{uid: 4242, gid: 4242}, owner, "an existing cluster keeps its account")

	_, err = chooseAccount("root", "/nonexistent")
	require.ErrorContains(t, err, "refuses to run as")
}
