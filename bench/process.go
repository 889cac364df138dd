package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"crmgraph/internal/auth"
)

// process is one measured side: a program that serves HTTP.
type process struct {
	command *exec.Cmd
	address string // host and port
	meter   meter
}

// sides are the two that are compared.
type sides struct {
	server, limit *process
	token         string // for the server
	directory     string // of the server's program
}

// startSides builds the server and starts both.
func startSides(ctx context.Context, s *settings, data *database) (both *sides, err error) {
	both = &sides{}
	defer func() {
		if err != nil {
			err = errors.Join(err, both.stop())
		}
	}()
	if both.directory, err = os.MkdirTemp("", "crmgraph-bench-*"); err != nil {
		return nil, err
	}
	program := filepath.Join(both.directory, "crmgraph")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "crmgraph").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the server (run this inside its module): %w\n%s", err, out)
	}
	connections := strconv.Itoa(s.Connections)
	both.server, err = start(data.url, program, "serve", "--addr=127.0.0.1:0",
		"--state-dir="+data.state, "--development=on", "--max-conns="+connections)
	if err != nil {
		return nil, err
	}
	if both.token, err = mint(data.state); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	both.limit, err = start(data.url, self, "limit", "--tenant="+data.sample.tenant.String(), "--connections="+connections)
	return both, err
}

// mint makes a token that the server, which shares the state directory, accepts.
func mint(state string) (string, error) {
	keys, err := auth.OpenKeys(state)
	if err != nil {
		return "", err
	}
	return keys.Mint(auth.Claims{Subject: "bench", Tenant: tenantCode, Roles: []string{"agent"}, TTL: 12 * time.Hour})
}

// printed finds where a program says that it serves.
var printed = regexp.MustCompile(`http://([0-9.]+:[0-9]+)`)

// start starts a program and waits until it prints its address.
func start(url, program string, args ...string) (*process, error) {
	cmd := exec.Command(program, args...) //nolint:noctx // it is told to stop, not killed
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "GOGC=400")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{command: cmd, meter: meter{pid: cmd.Process.Pid}}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := printed.FindStringSubmatch(lines.Text()); found != nil {
			p.address = found[1]
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s did not start: %w", filepath.Base(program), errors.Join(p.stop(), cmd.Err))
}

// stop ends both, and removes what was built.
func (s *sides) stop() error {
	err := os.RemoveAll(s.directory)
	for _, p := range []*process{s.server, s.limit} {
		if p != nil {
			err = errors.Join(err, p.stop())
		}
	}
	return err
}

// stop asks the program to end and waits for it.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.command.Wait()
}
