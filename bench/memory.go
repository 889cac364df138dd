package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/procfs"
)

// memory is the command that measures the memory of the server, as it is started by default,
// after many requests.
type memory struct {
	output
	Customers   int `default:"100000" help:"Size of the tenant; each size has a database of its own."`
	Requests    int `default:"100000" help:"How many reads are sent: lookups, views, pages and searches in turn."`
	Connections int `default:"64" help:"Connections of the driver."`
}

// allowedMemory is what the server shall stay under.
const allowedMemory = 64 << 20

// Run measures.
func (m *memory) Run(ctx context.Context) (err error) {
	if runtime.GOOS != "linux" {
		return errors.New("only Linux tells the memory of a process")
	}
	if err := m.place(); err != nil {
		return err
	}
	all, err := newSites(ctx, m.State)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.close()) }()
	at, err := all.open(ctx, "server", m.Customers, 1)
	if err != nil {
		return err
	}
	requests, err := mixed(at)
	if err != nil {
		return err
	}
	before, err := at.side.process.memory()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "sending %d requests\n", m.Requests)
	took, lasted, err := drive(ctx, at.side.process.address, requests, m.Connections, counting(m.Requests))
	if err != nil {
		return fmt.Errorf("the server: %w", err)
	}
	after, err := at.side.process.memory()
	if err != nil {
		return err
	}
	const table = "%d reads in %s at %d connections: lookups, views, pages of 20 and searches in turn; %d customers, %s, GOGC as the server chooses it.\n\n" +
		"| Memory of the server | MiB |\n|---|--:|\n| Resident before | %.1f |\n| Resident after | %.1f |\n| Resident at most | %.1f |\n| Shall stay under | %d |\n"
	return m.report(fmt.Sprintf(table, len(took), lasted.Round(time.Second), m.Connections, m.Customers, runtime.Version(),
		mebibytes(before.VmRSS), mebibytes(after.VmRSS), mebibytes(after.VmHWM), allowedMemory>>20))
}

// mixed are the requests of all reads in turn.
func mixed(at *site) ([][]byte, error) {
	var lanes []lane
	for _, w := range workloads() {
		if !slices.Contains([]string{"lookup", "view", "page", "search"}, w.name) {
			continue
		}
		l, err := newLane(at.data, at.side, w, w.ask(&at.data.sample))
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, l)
	}
	var requests [][]byte
	for i := range sampleSize {
		for _, l := range lanes {
			requests = append(requests, l.requests[i%len(l.requests)])
		}
	}
	return requests, nil
}

// memory is what the system says about the memory of the process.
func (p *process) memory() (procfs.ProcStatus, error) {
	proc, err := procfs.NewProc(p.meter.pid)
	if err != nil {
		return procfs.ProcStatus{}, fmt.Errorf("read memory: %w", err)
	}
	return proc.NewStatus()
}

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }
