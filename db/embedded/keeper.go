//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// keeperName is the name under which the program is started again as a keeper.
const keeperName = "crmgraph-postgres-keeper"

// keeperLockFD is where the keeper inherits its lock: the first descriptor after
// standard error.
const keeperLockFD = 3

// settleTime is the least time a keeper gives a server to write its pid file
// when the process that started it was killed just then.
const settleTime = 200 * time.Millisecond

// The keeper is this very program under another name, so that nothing has to be
// installed beside it. It is recognised here and not in main, because a test
// binary has no main of ours, and because nothing of the program itself may run
// in a keeper: no flags, no configuration, no tests.
func init() { //nolint:gochecknoinits // see above
	if len(os.Args) != 3 || os.Args[0] != keeperName {
		return
	}
	if err := keep(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", keeperName, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keep waits until the cluster has no users any more and stops its server.
func keep(dir, linger string) error {
	// A service manager may signal all processes of a service at once; the
	// keeper's work begins when the others have gone.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	syscall.CloseOnExec(keeperLockFD)
	patience, err := time.ParseDuration(linger)
	if err != nil {
		return err
	}
	c := cluster{dir: dir}
	for {
		if err := c.awaitIdle(max(patience, settleTime)); err != nil {
			return err
		}
		if stopped, err := c.stopWhenIdle(); stopped || err != nil {
			return err
		}
	}
}

// awaitIdle returns when nobody has used the cluster for so long.
func (c cluster) awaitIdle(patience time.Duration) error {
	for {
		users, err := awaitLock(c.usersFile())
		if err != nil {
			return err
		}
		idleSince := time.Now()
		if err := users.Close(); err != nil {
			return err
		}
		time.Sleep(patience)
		info, err := os.Stat(c.usersFile())
		if err != nil {
			return err
		}
		if info.ModTime().Before(idleSince) {
			return nil
		}
	}
}

// stopWhenIdle stops the server unless it found a user in the meantime.
func (c cluster) stopWhenIdle() (stopped bool, err error) {
	lock, err := awaitLock(c.lockFile())
	if err != nil {
		return false, err
	}
	defer lock.Close()
	stopped, err = c.stopUnlessUsed(context.Background())
	if stopped || err != nil {
		// Before the cluster lock goes: whoever opens next must not take a
		// keeper that is about to end for one that keeps.
		err = errors.Join(err, syscall.Close(keeperLockFD))
	}
	return stopped, err
}

// ensureKeeper starts a keeper unless one is at work. The lock that tells so is
// taken here and inherited by the keeper, hence there is no moment in which it
// runs without.
func (c cluster) ensureKeeper(ctx context.Context, linger time.Duration) error {
	held, err := tryLock(c.keeperFile())
	if errors.Is(err, errLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer held.Close()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start the keeper: %w", err)
	}
	log, err := c.openLog()
	if err != nil {
		return err
	}
	defer log.Close()

	cmd := exec.CommandContext(context.WithoutCancel(ctx), program)
	cmd.Args = []string{keeperName, c.dir, linger.String()}
	cmd.Dir, cmd.Env = "/", cleanEnvironment(os.Environ())
	cmd.Stderr = log
	cmd.ExtraFiles = []*os.File{held}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the keeper: %w", err)
	}
	go cmd.Wait() //nolint:errcheck // only so that it leaves no zombie behind
	return nil
}
