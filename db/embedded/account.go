//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// account is whom the server runs as: PostgreSQL refuses to run as root.
type account struct {
	uid, gid uint32
}

// chooseAccount answers this process's own account, unless it is root's: then
// the owner of the data directory, and before there is one the named account,
// "postgres" or "nobody".
func chooseAccount(name, data string) (account, error) {
	if os.Geteuid() != 0 {
		return self()
	}
	info, err := os.Stat(data)
	if err == nil {
		return ownerOf(info), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return account{}, err
	}
	if name != "" {
		return lookup(name)
	}
	if a, err := lookup("postgres"); err == nil {
		return a, nil
	}
	return lookup("nobody")
}

func self() (account, error) {
	uid := os.Geteuid()
	if _, err := user.LookupId(strconv.Itoa(uid)); err != nil {
		return account{}, fmt.Errorf("PostgreSQL cannot run as uid %d, which has no name on this system "+
			"(set DATABASE_URL, or give it one): %w", uid, err)
	}
	return account{uid: uint32(uid), gid: uint32(os.Getegid())}, nil
}

func lookup(name string) (account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("account to run PostgreSQL as: %w", err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return account{}, fmt.Errorf("account %q: %w", name, err)
	}
	if uid == 0 {
		return account{}, fmt.Errorf("account %q is root's, which PostgreSQL refuses to run as", name)
	}
	return account{uid: uint32(uid), gid: uint32(gid)}, nil
}

func ownerOf(info fs.FileInfo) account {
	stat := info.Sys().(*syscall.Stat_t)
	return account{uid: stat.Uid, gid: stat.Gid}
}

// foreign tells whether the account is another one than this process's.
func (a account) foreign() bool { return int(a.uid) != os.Geteuid() }

// own makes the account the owner of a file or directory.
func (a account) own(path string) error {
	if !a.foreign() {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// command is a program run as the account, in a session of its own (an interrupt
// typed at the terminal must reach this process alone, so that it can drain)
// and with a clean environment.
func (a account) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = "/", cleanEnvironment(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a.foreign() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return cmd
}

// cleanEnvironment keeps of an environment what programs need to start and
// nothing that changes what PostgreSQL does (PG*, locale, the certificate files
// of a HOME) or that it has no business to know (the secrets of this program).
func cleanEnvironment(environ []string) []string {
	needed := []string{"PATH", "TZ", "LD_LIBRARY_PATH"}
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !slices.Contains(needed, name)
	})
}
