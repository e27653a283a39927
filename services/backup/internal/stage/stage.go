// Package stage brings a workspace back to a snapshot: load beside the live data, compare, swap, put objects back. Until
// the swap nothing live is touched and every error ends the restore; after it the restore only goes forward.
package stage

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/scram"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/backup/internal/cell"
	"github.com/naksha-cloud/naksha/services/backup/internal/fetch"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/putback"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/restore"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
	"github.com/naksha-cloud/naksha/services/backup/internal/work"
)

// Order is what was asked for, and how far it is.
type Order struct {
	Snapshot     uuid.UUID
	WantedRegion string // empty = whichever answers
	State        restore.State
}

// Store keeps what is known of restores.
type Store interface {
	// RestoreOrder is what was asked for and how far it is.
	RestoreOrder(ctx context.Context, j work.Job) (Order, error)
	// RestoreProgress notes how far a restore is, in percent, and where its bytes come from.
	RestoreProgress(ctx context.Context, j work.Job, percent int, region string) error
	// Stage begins to stage, or begins again.
	Stage(ctx context.Context, j work.Job) error
	// Compare notes that everything is loaded.
	Compare(ctx context.Context, j work.Job) error
	// Swap is the point of no return.
	Swap(ctx context.Context, j work.Job, tables []snapshot.Table, regions []string) error
	// Swapped notes which schema keeps the replaced data.
	Swapped(ctx context.Context, j work.Job, undoSchema string) error
	// FinishRestore completes a restore.
	FinishRestore(ctx context.Context, j work.Job, keepUndo time.Duration) error
	// FinishUndo notes that the replaced data is live again.
	FinishUndo(ctx context.Context, j work.Job) error
	Objects
}

// Cells are the orders that only the tenant service carries out on a cell.
type Cells interface {
	// Stage makes an empty schema, a login and a scratch database.
	Stage(ctx context.Context, ref string, restore uuid.UUID, verifier string) (cell.Staged, error)
	// Swap puts the staged schema in the live one's place and returns the schema that keeps the replaced data.
	Swap(ctx context.Context, ref string, restore uuid.UUID) (string, error)
	// Undo puts the kept schema back.
	Undo(ctx context.Context, ref string, restore uuid.UUID) error
	// Clear drops the staged schema, its login and scratch database, and the kept schema where asked.
	Clear(ctx context.Context, ref string, restore uuid.UUID, dropUndo bool) error
}

// Readers finds a workspace's database with a login that may read it.
type Readers interface {
	// Reader is the target to read a workspace.
	Reader(ctx context.Context, workspace string) (cell.Target, error)
}

// Config says how restores are done.
type Config struct {
	Store    Store
	Cells    Cells
	Readers  Readers
	Regions  region.Set
	Root     seal.Root
	Sessions int           // concurrent sessions that load
	LoadTime time.Duration // how long to load at most, besides a second for each loadRate bytes of rows
	KeepUndo time.Duration // how long the replaced data is kept
	Retry    time.Duration // until a region that was away is tried again
	Leftover func()        // told when there may be something to clear
	Clock    clock.Clock
	Log      *slog.Logger
}

// Stager restores.
type Stager struct{ Config }

// attempt is one try at one restore.
type attempt struct {
	*Stager
	job    work.Job
	order  Order
	codec  *pack.Codec
	source *fetch.Source
	staged cell.Staged
}

// Restore does the job. It may be run again after any error or crash.
func (s *Stager) Restore(ctx context.Context, j work.Job) error {
	order, err := s.Store.RestoreOrder(ctx, j)
	if err != nil {
		return err
	}
	if order.State == restore.Undoing {
		return s.undo(ctx, j)
	}
	codec, err := pack.NewCodec(s.Root, j.Ref)
	if err != nil {
		return err
	}
	defer codec.Close()
	a := &attempt{Stager: s, job: j, order: order, codec: codec}
	if a.source, err = fetch.Open(ctx, s.Regions.Only(order.WantedRegion), codec, j.Ref, order.Snapshot); err != nil {
		return err
	}
	if order.State != restore.Swapping {
		if err := a.prepare(ctx); err != nil {
			return err
		}
	}
	return a.swap(ctx)
}

// prepare does everything that touches nothing live.
func (a *attempt) prepare(ctx context.Context) error {
	if err := a.begin(ctx); err != nil {
		return err
	}
	tables, err := a.loadInTime(ctx)
	if err != nil {
		return err
	}
	if err := a.checkObjects(ctx); err != nil {
		return err
	}
	return a.Store.Swap(ctx, a.job, tables, a.Regions.Names())
}

// begin asks for an empty staged schema. What an earlier attempt left in it is dropped first: its login's password was
// never written down.
func (a *attempt) begin(ctx context.Context) error {
	if err := a.Store.Stage(ctx, a.job); err != nil {
		return err
	}
	if a.job.Token > 1 {
		if err := a.Cells.Clear(ctx, a.job.Ref, a.job.ID, false); err != nil {
			return err
		}
	}
	password := scram.Password()
	verifier, err := scram.Verifier(password)
	if err != nil {
		return err
	}
	if a.staged, err = a.Cells.Stage(ctx, a.job.Ref, a.job.ID, verifier); err != nil {
		return err
	}
	a.staged.Target.Password = conf.Secret(password)
	return nil
}

// progress is for people; that it could not be noted stops nothing.
func (a *attempt) progress(ctx context.Context, percent int) {
	if err := a.Store.RestoreProgress(ctx, a.job, percent, a.source.Region()); err != nil && ctx.Err() == nil {
		a.Log.DebugContext(ctx, "progress not noted", "restore", a.job.ID, "error", err)
	}
}

// swap goes forward from the point of no return.
func (a *attempt) swap(ctx context.Context) error {
	undo, err := a.Cells.Swap(ctx, a.job.Ref, a.job.ID)
	if err != nil {
		return err
	}
	if err := a.Store.Swapped(ctx, a.job, undo); err != nil {
		return err
	}
	a.progress(ctx, 95)
	if err := a.putObjects(ctx); err != nil {
		return err
	}
	if err := a.Store.FinishRestore(ctx, a.job, a.KeepUndo); err != nil {
		return err
	}
	a.Leftover()
	return nil
}

// undo makes the replaced rows and objects live again.
func (s *Stager) undo(ctx context.Context, j work.Job) error {
	if err := s.Cells.Undo(ctx, j.Ref, j.ID); err != nil {
		return err
	}
	for _, r := range s.Regions {
		replaced, err := s.Store.ReplacedIn(ctx, j.ID, r.Name)
		if err != nil {
			return err
		}
		if len(replaced) == 0 {
			continue
		}
		if err := putback.Undo(ctx, bucket(r, j.Ref, s.Log), replaced); err != nil {
			return fmt.Errorf("put objects back in region %s: %w", r.Name, err)
		}
	}
	if err := s.Store.FinishUndo(ctx, j); err != nil {
		return err
	}
	s.Leftover()
	return nil
}

func bucket(r region.Region, ref string, log *slog.Logger) putback.Bucket {
	return putback.Bucket{Region: r.Name, Store: r.Store, Name: snapshot.Bucket(ref), Log: log}
}

// wholeSchema is the part of a manifest that a staged schema must equal.
func wholeSchema(m *manifest.Manifest) (tables []string, sequences map[string]manifest.Sequence) {
	sequences = map[string]manifest.Sequence{}
	for _, t := range m.Tables {
		tables = append(tables, t.Name)
	}
	for _, s := range m.Sequences {
		sequences[s.Name] = s
	}
	return tables, sequences
}
