package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/capture"
	"github.com/naksha-cloud/naksha/services/backup/internal/cell"
	"github.com/naksha-cloud/naksha/services/backup/internal/ddl"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// Shares of the progress, in percent: rows, then constraints and the comparison.
const (
	rowsShare = 60
	restShare = 30
)

// loadRate is what a cell loads at least, in bytes a second, indexes included.
const loadRate = 4 << 20

// loadInTime bounds load: customers' code runs in it, and one that waits for ever would keep everybody's restores waiting.
func (a *attempt) loadInTime(ctx context.Context) ([]snapshot.Table, error) {
	limit := a.LoadTime + time.Duration(a.source.Manifest.Taken().RawBytes/loadRate)*time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, limit, tooSlow(limit))
	defer cancel()
	tables, err := a.load(ctx)
	if f := (*fault.Fault)(nil); err != nil && errors.As(context.Cause(ctx), &f) {
		return nil, f
	}
	return tables, err
}

func tooSlow(limit time.Duration) error {
	return fault.New(codes.FailedPrecondition, "RESTORE_TOO_SLOW", "The snapshot was not loaded within %s; the live data is untouched.", limit).
		WithRemedy("Look for a function of the workspace that waits, behind a generated column, a check, a domain or an index, and restore a snapshot without it; else tell the operators.")
}

// load fills the staged schema in the order of pg_restore: tables, rows, then what rests on rows, and compares the rows
// meanwhile. While rows are loaded, the second half of the DDL is renamed, and indexes of tables that are full are built.
func (a *attempt) load(ctx context.Context) (tables []snapshot.Table, err error) {
	role := snapshot.Schema(a.job.Ref) // the workspace's role is named like its schema
	pre, err := a.text(ctx, a.source.Manifest.PreData)
	if err != nil {
		return nil, err
	}
	post, err := a.text(ctx, a.source.Manifest.PostData)
	if err != nil {
		return nil, err
	}
	target := a.staged.Target
	target.Database = a.staged.Scratch
	scratch, err := target.Scratch(ctx, role, a.source.Manifest.Schema, a.staged.Schema)
	if err != nil {
		return nil, err
	}
	defer scratch.Close(ctx)
	var loader *cell.Loader
	work, inner := errgroup.WithContext(ctx)
	work.Go(func() (err error) {
		loader, err = a.staged.Target.Loader(ctx, a.staged.Schema, role, a.Sessions)
		return err
	})
	work.Go(func() (err error) {
		if err = scratch.Lend(inner, a.staged.Target, pre, post); err == nil {
			pre, err = scratch.Rename(inner, "pre-data", pre)
		}
		return unloadable(err)
	})
	err = work.Wait()
	if loader != nil {
		defer loader.Close(ctx)
	}
	if err == nil {
		err = unloadable(loader.Build(ctx, pre))
	}
	if err != nil {
		return nil, err
	}
	return a.fill(ctx, scratch, loader, post)
}

// fill loads all rows, and builds and compares on them as soon as they are there: constraints change no rows, so the
// comparison need not wait for them.
func (a *attempt) fill(ctx context.Context, scratch *cell.Scratch, loader *cell.Loader, post string) (tables []snapshot.Table, err error) {
	work, ctx := errgroup.WithContext(ctx)
	count := len(a.source.Manifest.Tables)
	full, ready, positioned := make(chan string, count), make(chan string, count), make(chan struct{})
	plan := make(chan ddl.Plan, 1)
	work.Go(func() error {
		script, err := scratch.Rename(ctx, "post-data", post)
		if err == nil {
			plan <- ddl.PlanOf(script, a.staged.Schema)
		}
		return unloadable(err)
	})
	work.Go(func() error {
		err := a.rows(ctx, loader, full)
		close(full)
		if err != nil {
			return unloadable(err)
		}
		if err := a.Store.Compare(ctx, a.job); err != nil {
			return err
		}
		defer close(positioned)
		return unloadable(loader.Position(ctx, a.source.Manifest.Sequences))
	})
	work.Go(func() error { return unloadable(a.rest(ctx, loader, plan, full, ready)) })
	work.Go(func() (err error) {
		tables, err = a.compare(ctx, ready, positioned)
		return err
	})
	return tables, work.Wait()
}

// rest runs the second half of the DDL: the indexes of each table as soon as it is full, and then what needs all of them.
// A table with its indexes is told to be ready: before, a reader's lock would hold back those who build them.
func (a *attempt) rest(ctx context.Context, loader *cell.Loader, plans <-chan ddl.Plan, full <-chan string, ready chan<- string) error {
	var plan ddl.Plan
	select {
	case plan = <-plans:
	case <-ctx.Done():
		close(ready)
		return context.Cause(ctx)
	}
	if err := early(ctx, loader, plan, full, ready); err != nil {
		return err
	}
	for i, step := range plan.Steps {
		if err := loader.Run(ctx, step); err != nil {
			return err
		}
		a.progress(ctx, rowsShare+restShare*(i+1)/len(plan.Steps))
	}
	return nil
}

func early(ctx context.Context, loader *cell.Loader, plan ddl.Plan, full <-chan string, ready chan<- string) error {
	defer close(ready)
	work, ctx := errgroup.WithContext(ctx)
	for table := range full {
		statements := plan.Early[table]
		delete(plan.Early, table)
		work.Go(func() error {
			if err := loader.Run(ctx, statements); err != nil {
				return err
			}
			ready <- table // it has room for all
			return nil
		})
	}
	for _, statements := range plan.Early { // of tables without rows of their own
		work.Go(func() error { return loader.Run(ctx, statements) })
	}
	return work.Wait()
}

// unloadable is what outsiders learn when Postgres refuses what was saved; a fault inside err stands.
func unloadable(err error) error {
	var f *fault.Fault
	if err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.New(codes.Internal, "RESTORE_NOT_LOADABLE", "The database refused a part of the snapshot; the live data is untouched.").
		WithRemedy("Tell the operators; another snapshot may be restored meanwhile.").WithCause(err)
}

func (a *attempt) text(ctx context.Context, stream manifest.Stream) (string, error) {
	reader := a.source.Stream(ctx, stream)
	defer reader.Close()
	b, err := io.ReadAll(reader)
	if err != nil {
		return "", fmt.Errorf("read structure: %w", err)
	}
	return string(b), nil
}

// rows loads all tables, largest first, and tells which are full.
func (a *attempt) rows(ctx context.Context, loader *cell.Loader, full chan<- string) error {
	m := a.source.Manifest
	total := int64(1)
	for _, t := range m.Tables {
		total += t.Bytes
	}
	var done atomic.Int64
	tell := capture.Throttle(time.Second, a.Clock.Now, func(done, total int64) {
		a.progress(ctx, int(done*rowsShare/total))
	})
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(a.Sessions)
	for _, t := range m.Tables {
		if t.Rows == 0 {
			full <- t.Name
			continue
		}
		work.Go(func() error {
			reader := a.source.Stream(ctx, t.Stream)
			defer reader.Close()
			if err := loader.Fill(ctx, t, reader); err != nil {
				return errors.Join(reader.Err(), err) // first: COPY wraps what the source said
			}
			full <- t.Name
			tell(done.Add(t.Bytes), total)
			return nil
		})
	}
	return work.Wait()
}
