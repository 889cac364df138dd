//go:build linux || darwin

package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cluster is the directory that holds a data directory, the locks around it, its
// password and its log.
type cluster struct {
	dir string
}

func (c cluster) data() string       { return filepath.Join(c.dir, "data") }
func (c cluster) secretFile() string { return filepath.Join(c.dir, "secret") }
func (c cluster) logFile() string    { return filepath.Join(c.dir, "postgres.log") }

// lockFile is held by whoever changes the state of the cluster, so that starters
// never race.
func (c cluster) lockFile() string { return filepath.Join(c.dir, "lock") }

// usersFile is held, shared, by every process that uses the server: a reference
// count no crash can falsify.
func (c cluster) usersFile() string { return filepath.Join(c.dir, "users") }

// keeperFile is held by the keeper.
func (c cluster) keeperFile() string { return filepath.Join(c.dir, "keeper") }

// prepare makes the directory of the cluster, or checks the one there is.
func prepare(o Options) (cluster, error) {
	state := o.StateDir
	if state == "" {
		var err error
		if state, err = defaultStateDir(o.App); err != nil {
			return cluster{}, err
		}
	}
	state, err := makePrivate(state)
	if err != nil {
		return cluster{}, fmt.Errorf("state directory: %w", err)
	}
	dir, err := makePrivate(filepath.Join(state, "postgres"))
	if err != nil {
		return cluster{}, fmt.Errorf("state directory: %w", err)
	}
	return cluster{dir: dir}, nil
}

// join registers this process as a user until the file is closed.
func (c cluster) join() (*os.File, error) {
	users, err := shareLock(c.usersFile())
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := os.Chtimes(c.usersFile(), now, now); err != nil {
		return nil, errors.Join(err, users.Close())
	}
	return users, nil
}

// major returns the major version that made the data directory, 0 when there is
// none yet.
func (c cluster) major() (int, error) {
	if _, err := os.Stat(c.data()); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	if err != nil {
		return 0, fmt.Errorf("%s is no PostgreSQL data directory: %w", c.data(), err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s is no PostgreSQL data directory: %w", c.data(), err)
	}
	return major, nil
}

// initialise makes the data directory. It works beside it and renames at the
// end, so that one named "data" is always complete.
func (c cluster) initialise(ctx context.Context, bin binaries, run account, ephemeral bool, lock *os.File) error {
	if err := c.ensureSecret(); err != nil {
		return err
	}
	passwordFile, err := c.lendSecret(run)
	if err != nil {
		return err
	}
	defer os.Remove(passwordFile)

	args := []string{
		"--username=" + Owner, "--auth=scram-sha-256", "--pwfile=" + passwordFile,
		"--encoding=UTF8", "--locale=C", "--data-checksums",
	}
	if ephemeral {
		args = append(args, "--no-sync")
	}
	fresh := filepath.Join(c.dir, "data.init")
	// Index order must not depend on the system's locales, hence collation C;
	// case must be known beyond ASCII, hence a UTF-8 character type, which has
	// another name on every system.
	var failures []error
	for _, ctype := range []string{"C.UTF-8", "en_US.UTF-8", "UTF-8"} {
		err := c.runInitdb(ctx, bin, run, fresh, lock, append(args, "--lc-ctype="+ctype))
		if err == nil {
			return c.adoptData(fresh)
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return failures[0]
}

// runInitdb fills an empty directory. The child inherits the cluster lock: if
// this process is killed, nobody clears the directory under a running initdb.
func (c cluster) runInitdb(ctx context.Context, bin binaries, run account, fresh string, lock *os.File, args []string) error {
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := run.own(fresh); err != nil {
		return err
	}
	cmd := run.command(ctx, bin.program("initdb"), append(args, "--pgdata="+fresh)...)
	cmd.ExtraFiles = []*os.File{lock}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", errors.Join(err, ctx.Err()), out)
	}
	return nil
}

// adoptData gives a finished data directory its name, for good.
func (c cluster) adoptData(fresh string) error {
	if err := os.Rename(fresh, c.data()); err != nil {
		return err
	}
	dir, err := os.Open(c.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// ensureSecret makes the owner's password unless there is one already.
func (c cluster) ensureSecret() error {
	_, err := os.Stat(c.secretFile())
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fresh, err := os.OpenFile(c.secretFile()+".init", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fresh.WriteString(rand.Text())
	if err := errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), c.secretFile())
}

// lendSecret writes the password to a file the account may read.
func (c cluster) lendSecret(run account) (string, error) {
	password, err := os.ReadFile(c.secretFile())
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.dir, "password.init")
	if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, password, 0o600), run.own(path)); err != nil {
		return "", err
	}
	return path, nil
}

// openLog opens the log to be appended to, which starts anew once it is big.
func (c cluster) openLog() (*os.File, error) {
	const big = 8 << 20
	if info, err := os.Stat(c.logFile()); err == nil && info.Size() > big {
		if err := os.Rename(c.logFile(), c.logFile()+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
}
