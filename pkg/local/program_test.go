package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// shell is a program that does what the script says.
func shell(t *testing.T, script string) local.ProgramConfig {
	t.Helper()
	return local.ProgramConfig{
		Name: "test program", Note: filepath.Join(t.TempDir(), "run", "program.json"), Path: "/bin/sh",
		Args: []string{"-c", script}, Environ: []string{"PATH=" + os.Getenv("PATH")},
	}
}

func TestProgramReadsItsOrderThatNobodyElseSees(t *testing.T) {
	t.Parallel()
	var out buffer
	c := shell(t, "cat "+local.OrderFile+"; echo; cat; echo stopped")
	c.Order, c.Output = []byte("password: hunter2"), &out
	p, err := local.StartProgram(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, func() bool { return strings.Contains(out.String(), "hunter2\n") })
	for _, file := range []string{"cmdline", "environ"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), file))
		if err != nil || bytes.Contains(content, []byte("hunter2")) {
			t.Errorf("%s: %q, %v", file, content, err)
		}
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

func TestProgramThatDoesNotStopIsKilledAndOneThatEndsSaysWhy(t *testing.T) {
	t.Parallel()
	stubborn, err := local.StartProgram(t.Context(), shell(t, "trap '' TERM; echo ready; while :; do sleep 1; done"))
	if err != nil {
		t.Fatal(err)
	}
	wait(t, func() bool { return stubborn.LastLine() == "ready" })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := stubborn.Stop(over); err == nil {
		t.Error("it stopped by itself")
	}
	<-stubborn.Done()
	failed, err := local.StartProgram(t.Context(), shell(t, "echo first; printf 'no database'; exit 1"))
	if err != nil {
		t.Fatal(err)
	}
	<-failed.Done()
	if got := failed.LastLine(); got != "no database" {
		t.Errorf("last line %q", got)
	}
}

func TestProgramOfAKilledRunIsStoppedByTheNextStart(t *testing.T) {
	t.Parallel()
	c := shell(t, "while :; do sleep 1; done") // ignores its leash
	first, err := local.StartProgram(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(first.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second, err := local.StartProgram(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	if note, err := os.ReadFile(c.Note); err != nil || !strings.Contains(string(note), strconv.Itoa(second.PID())) {
		t.Errorf("note %s, %v", note, err)
	}
	if err := second.Kill(); err != nil {
		t.Error(err)
	}
}

// wait polls until done answers true.
func wait(t *testing.T, done func() bool) {
	t.Helper()
	limit, tick := time.After(localtest.Patience), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-limit:
			t.Fatal("waited in vain")
		case <-tick.C:
		}
	}
}

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*buffer)(nil)

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
