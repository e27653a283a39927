package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/services/backup/internal/fetch"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/putback"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
)

// Objects keeps what a restore does to buckets.
type Objects interface {
	// Since is the moment after which a customer's changes in a region are left alone.
	Since(ctx context.Context, restore uuid.UUID, region string) (time.Time, error)
	// RegionDone notes that a region's bucket shows the snapshot.
	RegionDone(ctx context.Context, restore uuid.UUID, region string) error
	// Replace notes what is current before a key is touched; the first note of a key stands.
	Replace(ctx context.Context, restore uuid.UUID, r putback.Replaced) error
	// ReplacedIn lists what a restore replaced in a region.
	ReplacedIn(ctx context.Context, restore uuid.UUID, region string) ([]putback.Replaced, error)
}

// journal is the notes of one restore.
type journal struct {
	store   Objects
	restore uuid.UUID
}

// Replace implements putback.Journal.
func (j journal) Replace(ctx context.Context, r putback.Replaced) error {
	return j.store.Replace(ctx, j.restore, r)
}

// objects hands out a snapshot's objects.
type objects struct{ source *fetch.Source }

// Open implements putback.Source.
func (o objects) Open(ctx context.Context, m manifest.Object) io.ReadCloser {
	return o.source.Object(ctx, m)
}

// checkObjects reads what will be put back, before anything live is touched. A region that is away is left for later.
func (a *attempt) checkObjects(ctx context.Context) error {
	var errs []error
	for _, r := range a.Regions {
		if err := r.Answers(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		changes, err := putback.Plan(ctx, bucket(r, a.job.Ref, a.Log), a.source.Manifest.Objects, a.Clock.Now())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := putback.Check(ctx, objects{a.source}, changes); err != nil {
			return fmt.Errorf("read objects of the snapshot: %w", err)
		}
	}
	if len(errs) == len(a.Regions) {
		return errors.Join(errs...)
	}
	return nil
}

// putObjects makes each region's bucket show the snapshot. One is enough for now; the others follow.
func (a *attempt) putObjects(ctx context.Context) error {
	var errs []error
	for _, r := range a.Regions {
		if err := a.putRegion(ctx, r); err != nil {
			a.Log.WarnContext(ctx, "region did not take the objects back", "region", r.Name, "restore", a.job.ID, "error", err)
			errs = append(errs, fmt.Errorf("put objects back in region %s: %w", r.Name, err))
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(errs) == len(a.Regions) {
		return errors.Join(errs...)
	}
	return nil
}

func (a *attempt) putRegion(ctx context.Context, r region.Region) error {
	if err := r.Answers(ctx); err != nil {
		return err
	}
	since, err := a.Store.Since(ctx, a.job.ID, r.Name)
	if err != nil {
		return err
	}
	b := bucket(r, a.job.Ref, a.Log)
	changes, err := putback.Plan(ctx, b, a.source.Manifest.Objects, since)
	if err != nil {
		return err
	}
	if err := putback.Apply(ctx, b, objects{a.source}, journal{a.Store, a.job.ID}, changes); err != nil {
		return err
	}
	return a.Store.RegionDone(ctx, a.job.ID, r.Name)
}

// Away is a region that was away during a restore.
type Away struct {
	Ref      string
	ID       uuid.UUID // of the restore
	Snapshot uuid.UUID
	Region   string
	Failures int
}

// Leftover is a restore with something to clear.
type Leftover struct {
	ID       uuid.UUID
	Ref      string
	Failures int
	DropUndo bool
}

// Rest keeps what is left to do after restores.
type Rest interface {
	// NextAway takes the next region that was away; false when there is none.
	NextAway(ctx context.Context, delay func(failures int) time.Duration) (Away, bool, error)
	// NextLeftover takes the next restore with something to clear; false when there is none.
	NextLeftover(ctx context.Context, delay func(failures int) time.Duration) (Leftover, bool, error)
	// Cleared notes that a restore's staged schema is gone, and its kept one where asked.
	Cleared(ctx context.Context, restore uuid.UUID, undo bool) error
}

// CatchUp puts objects back in one region that was away during a restore; false when there is none.
func (s *Stager) CatchUp(ctx context.Context, rest Rest) (worked bool, err error) {
	away, found, err := rest.NextAway(ctx, s.putOff)
	if err != nil || !found {
		return false, err
	}
	at := slices.IndexFunc(s.Regions, func(r region.Region) bool { return r.Name == away.Region })
	if at < 0 {
		return true, nil // not configured any more
	}
	codec, err := pack.NewCodec(s.Root, away.Ref)
	if err != nil {
		return true, err
	}
	defer codec.Close()
	a := &attempt{Stager: s, codec: codec}
	a.job.Ref, a.job.ID = away.Ref, away.ID
	if a.source, err = fetch.Open(ctx, s.Regions, codec, away.Ref, away.Snapshot); err != nil {
		return true, err
	}
	return true, a.putRegion(ctx, s.Regions[at])
}

// ClearUp drops what one ended restore left on its cell; false when there is none.
func (s *Stager) ClearUp(ctx context.Context, rest Rest) (worked bool, err error) {
	left, found, err := rest.NextLeftover(ctx, s.putOff)
	if err != nil || !found {
		return false, err
	}
	if err := s.Cells.Clear(ctx, left.Ref, left.ID, left.DropUndo); err != nil {
		return true, err
	}
	return true, rest.Cleared(ctx, left.ID, left.DropUndo)
}

// putOff is Retry, doubled with each failure up to an hour.
func (s *Stager) putOff(failures int) time.Duration {
	return min(s.Retry<<min(failures, 16), max(time.Hour, s.Retry))
}
