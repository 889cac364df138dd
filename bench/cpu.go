package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/procfs"
)

// meter reads the processor time of a process, and with children also that of its
// children: of the living ones and of those that have ended, which the system adds to
// their parent. A child's time therefore counts exactly once, whenever it ends.
//
// It knows Linux only, where the unit is a hundredth of a second; elsewhere it reads 0.
type meter struct {
	pid      int
	children bool
}

// read returns the processor time spent until now, user and system, in seconds.
func (m meter) read() (float64, error) {
	if runtime.GOOS != "linux" {
		return 0, nil
	}
	proc, err := procfs.NewProc(m.pid)
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	stat, err := proc.Stat()
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	if !m.children {
		return stat.CPUTime(), nil
	}
	const ticksPerSecond = 100
	total := stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/ticksPerSecond
	all, err := procfs.AllProcs()
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	for _, p := range all {
		if s, err := p.Stat(); err == nil && s.PPID == m.pid { // one that just ended has no stat
			total += s.CPUTime()
		}
	}
	return total, nil
}

// meterOfPostgres is the meter of the server behind a connection, which must run on this
// machine: its parent and all the backends, with the background writers and autovacuum.
func meterOfPostgres(ctx context.Context, conn *pgx.Conn) (meter, error) {
	if runtime.GOOS != "linux" {
		return meter{}, nil
	}
	var backend int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return meter{}, err
	}
	proc, err := procfs.NewProc(backend)
	if err != nil {
		return meter{}, fmt.Errorf("find the server's process: %w", err)
	}
	stat, err := proc.Stat()
	if err != nil {
		return meter{}, fmt.Errorf("find the server's process: %w", err)
	}
	return meter{pid: stat.PPID, children: true}, nil
}
