//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// poll is the pause between two looks at the pid file of a server that starts
// or stops.
const poll = 3 * time.Millisecond

// postmaster is what the pid file in the data directory tells.
type postmaster struct {
	pid, port int
	ready     bool
}

// pidFile reads the pid file; ok is false when there is none or it is still
// being written.
func (c cluster) pidFile() (pm postmaster, ok bool) {
	text, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return postmaster{}, false
	}
	const pidLine, portLine, statusLine = 0, 3, 7
	lines := strings.Split(string(text), "\n")
	if len(lines) <= portLine {
		return postmaster{}, false
	}
	pid, pidErr := strconv.Atoi(lines[pidLine])
	port, portErr := strconv.Atoi(lines[portLine])
	if pidErr != nil || portErr != nil {
		return postmaster{}, false
	}
	ready := len(lines) > statusLine && strings.TrimSpace(lines[statusLine]) == "ready"
	return postmaster{pid: pid, port: port, ready: ready}, true
}

// running returns the live server of the cluster. A pid file alone proves
// nothing: after a crash its number may have become somebody else's.
func (c cluster) running() (postmaster, bool) {
	pm, ok := c.pidFile()
	return pm, ok && serves(pm.pid, c.data())
}

// settle waits until a server found running is ready, or gone (false).
func (c cluster) settle(ctx context.Context) (postmaster, bool, error) {
	for {
		pm, running := c.running()
		if !running || pm.ready {
			return pm, running, nil
		}
		if err := pause(ctx, poll); err != nil {
			return postmaster{}, false, fmt.Errorf("wait for the server %d to be ready: %w", pm.pid, err)
		}
	}
}

// start starts the server, after a crash of the last one too: its children may
// take a moment to notice, and until then they keep a new one out.
func (c cluster) start(ctx context.Context, bin binaries, run account, o Options) (postmaster, error) {
	const patience, between = 5 * time.Second, 100 * time.Millisecond
	wanted := []int{o.Port, 0, 0, 0}
	stale, crashed := c.pidFile()
	if crashed {
		// Other users may still be calling the port.
		wanted = append([]int{stale.port}, wanted...)
	}
	deadline := time.Now().Add(patience)
	for {
		pm, err := c.startOnFree(ctx, bin, run, wanted, o)
		if err == nil || !crashed || time.Now().After(deadline) {
			return pm, err
		}
		if pauseErr := pause(ctx, between); pauseErr != nil {
			return postmaster{}, errors.Join(err, pauseErr)
		}
	}
}

// startOnFree starts the server on the first of the ports that can be had.
func (c cluster) startOnFree(ctx context.Context, bin binaries, run account, wanted []int, o Options) (postmaster, error) {
	failure := errors.New("no free TCP port on 127.0.0.1")
	for _, port := range wanted {
		port, free := freePort(ctx, port)
		if !free {
			continue
		}
		pm, err := c.startOn(ctx, bin, run, port, o)
		if err == nil {
			return pm, nil
		}
		failure = err
		if _, free := freePort(ctx, port); free {
			break // somebody else on the port was not the reason
		}
	}
	return postmaster{}, failure
}

// freePort tells whether a port can be listened on; for 0 it finds one that can.
func freePort(ctx context.Context, port int) (int, bool) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, false
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, true
}

// startOn starts the server and waits until it is ready. When ctx ends before,
// the server is left to the keeper.
func (c cluster) startOn(ctx context.Context, bin binaries, run account, port int, o Options) (postmaster, error) {
	log, err := c.openLog()
	if err != nil {
		return postmaster{}, err
	}
	defer log.Close()
	before, err := log.Stat()
	if err != nil {
		return postmaster{}, err
	}
	args := append([]string{"-D", c.data()}, settings(port, o)...)
	cmd := run.command(context.WithoutCancel(ctx), bin.program("postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return postmaster{}, err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	for {
		if pm, ok := c.pidFile(); ok && pm.ready && pm.pid == cmd.Process.Pid {
			return pm, nil
		}
		select {
		case err := <-exited:
			return postmaster{}, fmt.Errorf("the server did not start: %w\n%s", err, tail(log, before.Size()))
		case <-ctx.Done():
			return postmaster{}, fmt.Errorf("wait for the server to be ready: %w", ctx.Err())
		case <-time.After(poll):
		}
	}
}

// settings are passed at every start and not written into the cluster, so that
// they follow the version of this program.
func settings(port int, o Options) []string {
	values := []string{
		"port=" + strconv.Itoa(port),
		"listen_addresses=127.0.0.1",
		// Socket paths are limited in length, and a distribution's default
		// directory belongs to another account.
		"unix_socket_directories=",
		"max_connections=200",
	}
	if o.SharedBuffers != "" {
		values = append(values, "shared_buffers="+o.SharedBuffers)
	}
	if o.Ephemeral {
		values = append(values, "fsync=off", "full_page_writes=off", "synchronous_commit=off",
			"wal_level=minimal", "max_wal_senders=0", "jit=off")
	} else {
		values = append(values, "fsync=on", "full_page_writes=on", "synchronous_commit=on")
	}
	var args []string
	for _, value := range values {
		args = append(args, "-c", value)
	}
	return args
}

// tail returns what the log got since it had the given size, the end of it if
// that is much.
func tail(log *os.File, since int64) string {
	const much = 4 << 10
	info, err := log.Stat()
	if err != nil {
		return err.Error()
	}
	text := make([]byte, min(info.Size()-since, much))
	n, err := log.ReadAt(text, info.Size()-int64(len(text)))
	if err != nil {
		return err.Error()
	}
	return string(text[:n])
}

// glances is how often a lock is tried again that the keeper holds for a moment.
const glances = 5

// stopUnlessUsed stops the server when no process is registered as a user. The
// caller holds the cluster lock and is not registered.
func (c cluster) stopUnlessUsed(ctx context.Context) (stopped bool, err error) {
	users, err := tryLock(c.usersFile())
	// The keeper, which waits for the same lock, may be first; it lets go at once.
	for range glances {
		if !errors.Is(err, errLocked) {
			break
		}
		if err := pause(ctx, poll); err != nil {
			return false, err
		}
		users, err = tryLock(c.usersFile())
	}
	if errors.Is(err, errLocked) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer users.Close()
	return true, c.stop(ctx)
}

// stop shuts the server down, disconnecting whoever is still connected, and
// waits for its end.
func (c cluster) stop(ctx context.Context) error {
	pm, running := c.running()
	if !running {
		return nil
	}
	if err := syscall.Kill(pm.pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the server %d: %w", pm.pid, err)
	}
	for serves(pm.pid, c.data()) {
		if err := pause(ctx, poll); err != nil {
			return fmt.Errorf("wait for the server %d to stop: %w", pm.pid, err)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
