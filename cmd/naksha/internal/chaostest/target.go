package chaostest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

// Target is something of a platform that can be killed or paused.
type Target struct {
	Name string
	// Ends says that the whole platform ends with it: somebody has to start it again.
	Ends bool
	find func(p *Platform) ([]int, error)
}

// Targets are all that runs for a platform with `--processes`.
func Targets() []Target {
	targets := []Target{
		{Name: "platform process", Ends: true, find: func(p *Platform) ([]int, error) { return []int{p.process.Pid}, nil }},
		{Name: "everything", Ends: true, find: everything},
		{Name: "platform Postgres", find: postmaster("platform")},
		{Name: "backends of platform Postgres", find: backends("platform")},
		{Name: "cell Postgres", find: postmaster("cell1")},
		{Name: "S3 region primary", find: region("primary")},
		{Name: "S3 region dr", find: region("dr")},
	}
	for _, name := range up.Services {
		targets = append(targets, Target{Name: "service " + name, find: service(name)})
	}
	return targets
}

// Signal sends sig to the target's processes as they are now. One that is just being started again is waited for.
func (t Target) Signal(ctx context.Context, p *Platform, sig syscall.Signal) error {
	var found []int
	err := until(ctx, func() (err error) {
		found, err = t.find(p)
		return err
	})
	if err != nil {
		return fmt.Errorf("find %s: %w", t.Name, err)
	}
	for _, pid := range found {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal %s: %w", t.Name, err)
		}
	}
	return nil
}

// everything is the platform's process first, so that it does not bring the others back.
func everything(p *Platform) ([]int, error) {
	found := []int{p.process.Pid}
	own, err := children(p.process.Pid)
	if err != nil {
		return nil, err
	}
	for _, pid := range own {
		more, err := children(pid)
		if err != nil {
			return nil, err
		}
		found = append(append(found, pid), more...)
	}
	return found, nil
}

// ended is nil when none of the processes runs any more; a zombie does not.
func ended(pids []int) error {
	for _, pid := range pids {
		if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); len(line) > 0 {
			return fmt.Errorf("process %d still runs: %q", pid, line)
		}
	}
	return nil
}

// postmaster finds a Postgres server by its pid file (miscadmin.h of Postgres: the first line is the pid).
func postmaster(server string) func(p *Platform) ([]int, error) {
	return func(p *Platform) ([]int, error) {
		data := filepath.Join(p.Dir, "postgres", server, "data")
		content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(string(content), "\n")
		pid, err := strconv.Atoi(strings.TrimSpace(first))
		if err != nil {
			return nil, err
		}
		return checked(pid, "cwd", data)
	}
}

// backends finds the children of a Postgres server: their death makes the server recover from a crash.
func backends(server string) func(p *Platform) ([]int, error) {
	return func(p *Platform) ([]int, error) {
		parent, err := postmaster(server)(p)
		if err != nil {
			return nil, err
		}
		return children(parent[0])
	}
}

// children are the processes that a process started (proc(5), task/[tid]/children).
func children(pid int) ([]int, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	var found []int
	for _, thread := range threads {
		content, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		for _, text := range strings.Fields(string(content)) {
			child, err := strconv.Atoi(text)
			if err != nil {
				return nil, err
			}
			found = append(found, child)
		}
	}
	return found, nil
}

// region finds an S3 region, service finds a service's process, each by the note that names it.
func region(name string) func(p *Platform) ([]int, error) {
	return func(p *Platform) ([]int, error) { return noted(filepath.Join(p.Dir, "s3", name, "run.json"), p.binary) }
}

func service(name string) func(p *Platform) ([]int, error) {
	return func(p *Platform) ([]int, error) {
		return noted(filepath.Join(p.Dir, "run", name+".json"), filepath.Join(filepath.Dir(p.binary), "naksha-"+name))
	}
}

func noted(file, program string) ([]int, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var note struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(content, &note); err != nil {
		return nil, err
	}
	return checked(note.PID, "exe", program)
}

// checked returns the process if its link in /proc leads where it should: a note may outlive its process, and the kernel
// gives the number to a stranger.
func checked(pid int, link, want string) ([]int, error) {
	got, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, link))
	if err != nil {
		return nil, err
	}
	if got != want {
		return nil, fmt.Errorf("process %d is not ours: its %s is %s", pid, link, got)
	}
	return []int{pid}, nil
}
