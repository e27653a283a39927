package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// logLimit is the size in bytes at which a start moves the log file aside, keeping one older file.
const logLimit = 16 << 20

// postmasterPID reads the first line of postmaster.pid, or returns 0.
func postmasterPID(data string) int {
	pid, _ := strconv.Atoi(pidLine(data, 1))
	return pid
}

// pidLine returns line n, from 1, of postmaster.pid (miscadmin.h of Postgres: 1 is the pid, 8 the status).
func pidLine(data string, n int) string {
	raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return ""
	}
	lines := strings.Split(string(raw), "\n")
	if len(lines) < n {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

// awaitReady waits until the postmaster says so in its pid file, as pg_ctl does.
func (p *Postgres) awaitReady(ctx context.Context, offset int64) error {
	ended := false
	err := poll(ctx, func() bool {
		select {
		case <-p.done:
			ended = true
		default:
		}
		return ended || (postmasterPID(p.data()) == p.PID() && pidLine(p.data(), 8) == "ready")
	})
	if ended {
		return p.startError(offset)
	}
	if err != nil {
		return fmt.Errorf("wait for the server to accept connections (%s): %w", p.lastComplaint(offset), err)
	}
	return nil
}

// startError explains why the server ended, from what it wrote since the offset in its log.
func (p *Postgres) startError(offset int64) error {
	complaint := p.lastComplaint(offset)
	switch {
	case strings.Contains(complaint, "Address already in use"):
		return ExplainListen(syscall.EADDRINUSE, p.config.Host, p.config.Port, "the port setting of this Postgres server")
	case strings.Contains(complaint, "unrecognized configuration parameter"), strings.Contains(complaint, "invalid value for parameter"):
		return fmt.Errorf("the server refuses a setting: %s", complaint)
	}
	return fmt.Errorf("the server ended at once: %s (log: %s): if the folder is damaged, restore it from a backup or move it away to start afresh", complaint, p.logFile())
}

// lastComplaint returns what the server wrote about its trouble since the offset in its log.
func (p *Postgres) lastComplaint(offset int64) string {
	f, err := os.Open(p.logFile())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	raw, _ := io.ReadAll(io.NewSectionReader(f, offset, 1<<20))
	return complaint(raw)
}

// complaint picks the lines that say what went wrong out of a server's output: the last four at most.
func complaint(out []byte) string {
	var lines []string
	for line := range bytes.Lines(out) {
		for _, level := range []string{"ERROR:", "FATAL:", "PANIC:", "HINT:", "LOG:  could not", "LOG:  invalid", "LOG:  unrecognized", "initdb: error:"} {
			if i := bytes.Index(line, []byte(level)); i >= 0 {
				lines = append(lines, strings.TrimSpace(string(line[i:])))
				break
			}
		}
	}
	if len(lines) == 0 {
		return "it wrote nothing about it"
	}
	return strings.Join(lines[max(0, len(lines)-4):], "; ")
}

// login checks the superuser's password.
func (p *Postgres) login(ctx context.Context) error {
	conn, err := pgconn.Connect(ctx, p.SuperuserURL("postgres"))
	if err != nil {
		return fmt.Errorf("log in as %s: %w", superuser, err)
	}
	return conn.Close(ctx)
}

func isWrongPassword(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == "28P01"
}

func (p *Postgres) logFile() string { return filepath.Join(p.dir, "postgres.log") }

// openLog opens a log for appending; a long one is moved aside first.
func openLog(path string) (*os.File, error) {
	if err := shortenLog(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("move the log aside: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return f, nil
}

// keepLogShort moves the log aside whenever it grows too long, until the server ends: what customers make the server
// write must not fill the disk. The server appends, so an emptied file goes on from its beginning.
func (p *Postgres) keepLogShort(done <-chan struct{}) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			if err := shortenLog(p.logFile()); err != nil {
				p.log.Warn("postgres log stays long", "dir", p.dir, "error", err)
			}
		}
	}
}

// shortenLog copies a long log to its older file and empties it. A line that is written in between is lost.
func shortenLog(path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() <= logLimit {
		return err
	}
	_ = os.Remove(path + ".1")
	if err := copyFile(path, path+".1", 0o600); err != nil {
		return err
	}
	return os.Truncate(path, 0)
}

// environment is what a server inherits from us: nothing that could hold a secret or change its behaviour.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// stateFolder makes the folder and returns its path without symbolic links.
func stateFolder(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", dir, err)
	}
	if err := makeFolder(absolute, 0o711); err != nil {
		return "", fmt.Errorf("make state folder: %w", err)
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", dir, err)
	}
	return real, nil
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
