//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// The locks are flock(2) locks, which the kernel drops when the last process
// that has the file open is gone. They are given up by closing the file and
// never by LOCK_UN, which would take them from a child that inherited them.

// errLocked tells that another process holds the lock.
var errLocked = errors.New("locked by another process")

// acquire takes the exclusive lock on a file, waiting for it until ctx is done.
func acquire(ctx context.Context, path string) (*os.File, error) {
	const between = 10 * time.Millisecond
	for {
		f, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return f, err
		}
		if err := pause(ctx, between); err != nil {
			return nil, fmt.Errorf("wait for %s: %w", path, err)
		}
	}
}

// tryLock takes the exclusive lock on a file, or fails with errLocked.
func tryLock(path string) (*os.File, error) {
	return lockWith(path, syscall.LOCK_EX|syscall.LOCK_NB)
}

// awaitLock takes the exclusive lock on a file, however long that takes.
func awaitLock(path string) (*os.File, error) {
	return lockWith(path, syscall.LOCK_EX)
}

// shareLock takes a shared lock on a file, waiting for an exclusive one to end.
func shareLock(path string) (*os.File, error) {
	return lockWith(path, syscall.LOCK_SH)
}

func lockWith(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
}
