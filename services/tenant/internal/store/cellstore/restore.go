package cellstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// restoreConnections is the connection limit of a restore's login.
const restoreConnections = 8

// Presence says which of a restore's schemas exist.
func (c *Cell) Presence(ctx context.Context, r cell.Restore) (cell.Presence, error) {
	if err := c.connect(ctx); err != nil {
		return cell.Presence{}, err
	}
	rows, err := c.config.Pool.Query(ctx, query("presence"), r.Live(), r.Staged(), r.Undo())
	found, err := pg.One[cell.Presence](rows, err)
	if err != nil {
		return cell.Presence{}, reachable(fmt.Errorf("look for schemas of restore %s: %w", r.ID, err))
	}
	return found, nil
}

// StageSchema makes or adopts the staged schema, the restore's login, a member of the workspace's role alone, and the
// scratch database.
func (c *Cell) StageSchema(ctx context.Context, r cell.Restore, verifier string) error {
	err := c.act(ctx,
		step{"build_slot", map[string]string{"owner": workspace.Schema(r.Ref), "schema": r.Staged()}},
		installLogin(r.Ref, r.Staged(), r.Staged(), verifier, restoreConnections),
		step{"set_login", map[string]string{"login": r.Staged(), "enabled": "true"}})
	if err != nil {
		return err
	}
	return c.makeScratch(ctx, r)
}

// SwapSchema puts the staged schema in the live one's place and keeps the live one.
func (c *Cell) SwapSchema(ctx context.Context, r cell.Restore) error {
	return c.swap(ctx, r, r.Undo(), r.Staged())
}

// UnswapSchema puts the kept schema back; the restored one is staged again.
func (c *Cell) UnswapSchema(ctx context.Context, r cell.Restore) error {
	return c.swap(ctx, r, r.Staged(), r.Undo())
}

// swap renames under locks. Without them the transaction of an open writer would be split between the two schemas. It
// waits politely first; after that it ends the workspace's sessions, and only those.
func (c *Cell) swap(ctx context.Context, r cell.Restore, aside, next string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Deadline)
	defer cancel()
	if err := c.EndSessions(ctx, r.Staged()); err != nil {
		return err
	}
	err := c.rename(ctx, r, aside, next, c.config.LockWait)
	if !busy(err) {
		return reachable(err)
	}
	return c.renameByForce(ctx, r, aside, next)
}

// renameByForce ends the workspace's sessions again and again while it waits for the locks: who connects in between
// queues behind the wait.
func (c *Cell) renameByForce(ctx context.Context, r cell.Restore, aside, next string) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, forceEvery) == nil {
			var left int // an error here shows in rename
			_ = c.config.Pool.QueryRow(ctx, query("end_sessions"), allLogins(r.Ref)).Scan(&left)
		}
	}()
	err := errBusy
	for busy(err) && ctx.Err() == nil {
		err = c.rename(ctx, r, aside, next, forceWait)
	}
	cancel()
	<-ended
	if busy(err) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Unavailable("SCHEMA_BUSY", "Somebody else keeps a table of the workspace locked.").
			WithRemedy("Try again when backups of the workspace have ended.").WithRetryAfter(10 * time.Second).WithCause(err)
	}
	return reachable(err)
}

const (
	forceEvery = 50 * time.Millisecond
	forceWait  = 3 * time.Second
)

// errBusy says that a session is making something in the schema that cannot be locked yet.
var errBusy = errors.New("the schema is being changed")

// busy says that a lock was not to be had, or that a deadlock was broken at our cost.
func busy(err error) bool {
	state := pg.SQLState(err)
	return errors.Is(err, errBusy) || state == "55P03" || state == "40P01"
}

func (c *Cell) rename(ctx context.Context, r cell.Restore, aside, next string, wait time.Duration) error {
	return c.config.Pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if _, err := tx.Exec(ctx, query("lock_wait"), strconv.FormatInt(wait.Milliseconds(), 10)); err != nil {
			return fmt.Errorf("set lock timeout: %w", err)
		}
		if err := c.lock(ctx, tx, r.Live(), next, wait); err != nil {
			return err
		}
		return run(ctx, tx, step{"swap", map[string]string{
			"live": r.Live(), "aside": aside, "next": next, "owner": workspace.Schema(r.Ref), "login": r.Staged(),
		}})
	})
}

// lock takes every table of both schemas, waits for those who are making new ones, and takes these too.
func (c *Cell) lock(ctx context.Context, tx *pg.Tx, live, next string, wait time.Duration) error {
	until := time.Now().Add(wait)
	for {
		for _, schema := range []string{live, next} {
			if err := run(ctx, tx, step{"lock_schema", map[string]string{"schema": schema}}); err != nil {
				return err
			}
		}
		var creators int
		if err := tx.QueryRow(ctx, query("creators"), live).Scan(&creators); err != nil {
			return fmt.Errorf("look for open changes: %w", err)
		}
		if creators == 0 {
			return nil
		}
		if time.Now().After(until) {
			return errBusy
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// ClearSchemas drops the staged schema, the restore's login and scratch database, and the kept schema where asked.
func (c *Cell) ClearSchemas(ctx context.Context, r cell.Restore, undo bool) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	steps := []step{{"disable_logins", map[string]string{"pattern": "^" + r.Staged() + "$"}}}
	if err := c.act(ctx, steps...); err != nil {
		return err
	}
	if err := c.EndSessions(ctx, r.Staged()); err != nil {
		return err
	}
	if err := c.dropScratch(ctx, r); err != nil {
		return err
	}
	if err := c.act(ctx, step{"drop_schema", map[string]string{"schema": r.Staged()}}, dropLogin(r.Staged())); err != nil || !undo {
		return err
	}
	return c.act(ctx, step{"drop_schema", map[string]string{"schema": r.Undo()}})
}
