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
	"slices"
	"strings"
	"syscall"
)

// process is a program that serves HTTP.
type process struct {
	command *exec.Cmd
	log     *os.File // what it says on its standard error
	address string   // host and port
	meter   meter
}

// program says how a process is started.
type program struct {
	name        string // of its log
	path        string
	args        []string
	directory   string
	environment []string // beside the driver's own, without GOGC
	children    bool     // whether its children work for it
}

// printed finds where a program says that it serves.
var printed = regexp.MustCompile(`http://([0-9.]+:[0-9]+)`)

// start starts a program and waits until it prints its address. What it logs is found in the
// state directory.
func start(state string, p program) (*process, error) {
	log, err := os.Create(filepath.Join(state, p.name+".log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(p.path, p.args...) //nolint:noctx // it is told to stop, not killed
	cmd.Dir = p.directory
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOGC=") })
	cmd.Env = append(cmd.Env, p.environment...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", p.name, err), log.Close())
	}
	started := &process{command: cmd, log: log, meter: meter{pid: cmd.Process.Pid, children: p.children}}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := printed.FindStringSubmatch(lines.Text()); found != nil {
			started.address = found[1]
			return started, nil
		}
	}
	return nil, fmt.Errorf("%s did not start, see %s: %w", p.name, log.Name(), started.stop())
}

// stop asks the program to end and waits for it.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return errors.Join(p.command.Wait(), p.log.Close())
}

// build makes the server's program in a directory.
func build(ctx context.Context, directory string) (path string, err error) {
	path = filepath.Join(directory, "crmgraph")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "crmgraph").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server (run this inside its module): %w\n%s", err, out)
	}
	return path, nil
}
