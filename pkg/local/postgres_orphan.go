package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// orphanPatience is how long a server of a killed run gets to shut down in order.
const orphanPatience = 30 * time.Second

// StopPostgresOrphan ends the server that a killed run left on a state folder, and says whether there was one. A folder whose
// owner lives is ErrFolderInUse.
func StopPostgresOrphan(ctx context.Context, dir string, log *slog.Logger) (found bool, err error) {
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find %s: %w", dir, err)
	}
	p := &Postgres{dir: real, log: orDiscard(log)}
	if len(processesIn(p.data(), "postgres")) == 0 {
		return false, nil
	}
	if p.lock, err = lockFolder(real); err != nil {
		return false, err
	}
	defer p.release()
	return true, p.stopOrphan(ctx)
}

// stopOrphan ends what a killed run left on the data folder: the folder is locked by us, so nobody alive owns it.
func (p *Postgres) stopOrphan(ctx context.Context) error {
	leader := postmasterPID(p.data())
	for _, orphan := range processesIn(p.data(), "postgres") {
		if orphan.PID != leader {
			continue
		}
		p.log.InfoContext(ctx, "postgres of a killed run is stopped", "dir", p.dir, "pid", orphan.PID)
		if err := orphan.end(ctx, syscall.SIGINT, orphanPatience); err != nil {
			return fmt.Errorf("stop the server of an earlier run: %w", err)
		}
	}
	if err := p.endChildren(); err != nil {
		return err
	}
	// Nobody works on the folder any more. But the id in the pid file may be that of a dead process that its new parent has
	// not waited for, or of a stranger by now: the server would take either for a postmaster, and refuse to start.
	if err := os.Remove(filepath.Join(p.data(), "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the pid file of an earlier run: %w", err)
	}
	return nil
}

// endChildren kills the processes that outlived their postmaster; while one lives, the next start would refuse the
// data folder.
func (p *Postgres) endChildren() error {
	ctx, cancel := context.WithTimeout(context.Background(), orphanPatience)
	defer cancel()
	return poll(ctx, func() bool {
		left := processesIn(p.data(), "postgres")
		for _, child := range left {
			_ = child.signal(syscall.SIGKILL)
		}
		return len(left) == 0
	})
}
