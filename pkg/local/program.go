package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// OrderFile is where a program started by StartProgram reads its order: a pipe that nobody else sees.
const OrderFile = "/dev/fd/3"

// ProgramConfig describes a program that runs as a child process.
type ProgramConfig struct {
	// Name in logs and errors, such as "service tenant".
	Name string
	// Note is the file that remembers the process for the next start.
	Note string
	// Path and Args are the command line. It must hold no secret: every user of the machine sees it.
	Path string
	Args []string
	// Environ is the environment, as in os.Environ.
	Environ []string
	// Order is what the program reads from OrderFile, once. Secrets go here.
	Order []byte
	// Output receives what the program writes to stdout and stderr, whole lines at a time; nil discards it.
	Output io.Writer
	// Log receives what an operator would want to know; nil discards it.
	Log *slog.Logger
}

// Program is a running child process. Its standard input is a leash: it closes when this process ends, however that
// ends, and the program is to stop then.
type Program struct {
	config  ProgramConfig
	process process
	leash   io.Closer
	output  *lines
	done    chan struct{}
}

// StartProgram starts the program; one that a killed run left behind is stopped first. The caller holds a lock on the
// folder of Note. It returns at once: whether the program works is the caller's to find out.
func StartProgram(ctx context.Context, c ProgramConfig) (*Program, error) {
	c.Log = orDiscard(c.Log)
	if _, err := StopProgramOrphan(ctx, c.Note, c.Log); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Program{config: c, output: &lines{to: c.Output}, done: make(chan struct{})}
	if err := p.spawn(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	return p, nil
}

func (p *Program) spawn() error {
	cmd := exec.Command(p.config.Path, p.config.Args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.config.Environ, p.output, p.output
	cmd.WaitDelay = time.Second                           // what it started itself may hold its output open
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for us
	leash, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("make a pipe: %w", err), leash.Close())
	}
	cmd.ExtraFiles = []*os.File{read}
	err = cmd.Start()
	_ = read.Close() // the child has its own
	if err != nil {
		return errors.Join(err, leash.Close(), write.Close())
	}
	p.leash = leash
	go func() { // a program that dies before it has read gives EPIPE, and shows as ended
		_, _ = write.Write(p.config.Order)
		_ = write.Close()
	}()
	go func() {
		_ = cmd.Wait() // how it ended is in its output; that it ended is what callers wait for
		p.output.flush()
		close(p.done)
	}()
	return p.note(cmd.Process.Pid)
}

// note remembers which process it is. One that could not be noted ends with its leash.
func (p *Program) note(pid int) (err error) {
	if p.process, err = findProcess(pid); err != nil {
		p.process = process{PID: pid} // it has ended already
		return nil                    //nolint:nilerr // Done says so
	}
	content, err := json.Marshal(p.process)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(p.config.Note), 0o700)
	}
	if err == nil {
		err = os.WriteFile(p.config.Note, content, 0o600)
	}
	if err != nil {
		return errors.Join(err, p.Kill())
	}
	return nil
}

// StopProgramOrphan ends the program that a killed run left behind, as its note names it, and says whether there was one.
// The caller holds the lock of the state directory, so nobody alive owns it. It is not waited for: it has lost its leash,
// so what still runs is stuck or was stopped by a signal.
func StopProgramOrphan(ctx context.Context, note string, log *slog.Logger) (found bool, err error) {
	return stopNoted(ctx, note, 0, log)
}

// stopNoted ends the process that a note of a killed run names, and kills it when patience is over.
func stopNoted(ctx context.Context, note string, patience time.Duration, log *slog.Logger) (found bool, err error) {
	var orphan process
	content, err := os.ReadFile(note)
	if err != nil || json.Unmarshal(content, &orphan) != nil || !orphan.alive() {
		return false, nil //nolint:nilerr // without a note there was no start
	}
	orDiscard(log).InfoContext(ctx, "process of a killed run is stopped", "note", note, "pid", orphan.PID)
	if err := orphan.end(ctx, syscall.SIGTERM, patience); err != nil {
		return false, fmt.Errorf("stop process %d of an earlier run: %w", orphan.PID, err)
	}
	return true, nil
}

// PID returns the process id.
func (p *Program) PID() int { return p.process.PID }

// Done is closed when the program has ended, in order or not.
func (p *Program) Done() <-chan struct{} { return p.done }

// LastLine returns the last line that the program wrote.
func (p *Program) LastLine() string { return p.output.last() }

// Stop asks the program to end by SIGTERM; when ctx is over first, it is killed. A second Stop does nothing.
func (p *Program) Stop(ctx context.Context) error {
	if err := p.process.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.leashOff()
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop %s: %w", p.config.Name, ctx.Err()), p.Kill())
	}
}

// Kill ends the program by SIGKILL.
func (p *Program) Kill() error {
	if err := p.process.signal(syscall.SIGKILL); err != nil {
		return err
	}
	err := p.leashOff()
	<-p.done
	return err
}

func (p *Program) leashOff() error {
	if err := p.leash.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// lines passes whole lines on, so that those of several programs do not mix, and keeps the last one.
type lines struct {
	to io.Writer

	mu      sync.Mutex
	pending []byte
	latest  string
}

// lineLimit in bytes: what is longer is passed on in parts.
const lineLimit = 64 << 10

// Write never fails: a full disk must not end the program whose log it is.
func (l *lines) Write(content []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, content...)
	end := bytes.LastIndexByte(l.pending, '\n') + 1
	if end == 0 && len(l.pending) > lineLimit {
		end = len(l.pending)
	}
	l.pass(end)
	return len(content), nil
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass(len(l.pending))
}

func (l *lines) pass(end int) {
	if end == 0 {
		return
	}
	whole := l.pending[:end]
	if text := lastLine(whole); text != "" {
		l.latest = text
	}
	if l.to != nil {
		_, _ = l.to.Write(whole)
	}
	l.pending = append([]byte(nil), l.pending[end:]...)
}

func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest
}
