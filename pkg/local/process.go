package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollEvery is the pause between two looks at something that gives no signal: a foreign process, a starting server.
const pollEvery = 20 * time.Millisecond

// process names a process beyond doubt: a process id alone may have been given to another one since.
type process struct {
	PID int `json:"pid"`
	// Start is the kernel's start time of the process in clock ticks since boot (proc(5), field 22).
	Start uint64 `json:"start"`
}

// Fields of /proc/<pid>/stat (proc(5)), counted from the third.
const (
	threadsField = 17 // num_threads
	startField   = 19 // starttime
)

// findProcess returns the process that has the id now.
func findProcess(pid int) (process, error) {
	fields, err := statFields(pid)
	if err != nil {
		return process{}, err
	}
	start, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return process{}, fmt.Errorf("read start time of process %d: %w", pid, err)
	}
	return process{PID: pid, Start: start}, nil
}

// statFields returns /proc/<pid>/stat from its third field (the state) on. The second field may itself contain spaces
// and parentheses.
func statFields(pid int) ([]string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("read state of process %d: %w", pid, err)
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 20 {
		return nil, fmt.Errorf("read state of process %d: unknown format", pid)
	}
	return fields, nil
}

// alive reports whether the process still runs. A zombie does not; but a process whose first thread has ended looks like
// one while its other threads still end, and until the last of them is gone it holds its ports and locks.
func (p process) alive() bool {
	fields, err := statFields(p.PID)
	if err != nil || fields[startField] != strconv.FormatUint(p.Start, 10) {
		return false
	}
	ended := fields[0] == "Z" || fields[0] == "X"
	return !ended || fields[threadsField] != "0" && fields[threadsField] != "1"
}

// signal sends the signal; a process that is already gone is no error.
func (p process) signal(sig syscall.Signal) error {
	if !p.alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal process %d: %w", p.PID, err)
	}
	return nil
}

// end signals the process and waits until it is gone. When the patience is over it is killed.
func (p process) end(ctx context.Context, sig syscall.Signal, patience time.Duration) error {
	if err := p.signal(sig); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if poll(wait, func() bool { return !p.alive() }) == nil {
		return nil
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return poll(ctx, func() bool { return !p.alive() })
}

// processesIn returns the processes that run the named program with dir as their working folder. It sees those that
// this user may look at.
func processesIn(dir, program string) []process {
	return processesWhere(program, func(cwd string) bool { return cwd == dir })
}

// processesWhere returns the processes that run the named program in a working folder that matches.
func processesWhere(program string, match func(cwd string) bool) []process {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var found []process
	for _, link := range links {
		if cwd, err := os.Readlink(link); err != nil || !match(cwd) {
			continue
		}
		exe, err := os.Readlink(filepath.Join(filepath.Dir(link), "exe"))
		if err != nil || filepath.Base(strings.TrimSuffix(exe, " (deleted)")) != program {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if p, err := findProcess(pid); err == nil {
			found = append(found, p)
		}
	}
	return found
}

// KillLeftovers ends every Postgres server whose data lies below dir, by SIGKILL. It is for folders that are about to
// be removed and whose owner is known to be dead; S3 regions end with their owner by themselves.
func KillLeftovers(ctx context.Context, dir string) error {
	below := func(cwd string) bool {
		return strings.HasPrefix(strings.TrimSuffix(cwd, " (deleted)"), filepath.Clean(dir)+"/")
	}
	return poll(ctx, func() bool {
		left := processesWhere("postgres", below)
		for _, p := range left {
			_ = p.signal(syscall.SIGKILL)
		}
		return len(left) == 0
	})
}

// poll waits until done answers true, or returns the context's error.
func poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
