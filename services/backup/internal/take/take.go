// Package take makes a snapshot from beginning to end: read the workspace at one moment, write it to every region, the
// manifest last, read it back from each, and only then call it a snapshot. A region that cannot take its copy is made up for
// later; without the one that customers write to there is no snapshot.
package take

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/backup/internal/capture"
	"github.com/naksha-cloud/naksha/services/backup/internal/cell"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/ship"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
	"github.com/naksha-cloud/naksha/services/backup/internal/verify"
	"github.com/naksha-cloud/naksha/services/backup/internal/work"
)

// Store keeps what is known of snapshots.
type Store interface {
	// SnapshotProgress notes how far a snapshot is, in percent.
	SnapshotProgress(ctx context.Context, j work.Job, percent int) error
	// FinishSnapshot notes a verified snapshot with its copies; missing ones are tried again after retry.
	FinishSnapshot(ctx context.Context, j work.Job, t snapshot.Taken, copies []snapshot.Copy, retry time.Duration) error
	// Newest is the newest verified snapshot of a workspace; false when there is none.
	Newest(ctx context.Context, ref string) (uuid.UUID, bool, error)
}

// Cells finds a workspace's database with a login that may read it.
type Cells interface {
	// Reader is the target to read a workspace. Unavailable: not yet.
	Reader(ctx context.Context, workspace string) (cell.Target, error)
}

// Config says how snapshots are taken.
type Config struct {
	Store   Store
	Cells   Cells
	Regions region.Set
	Root    seal.Root
	Readers int           // concurrent readers of one workspace
	Retry   time.Duration // until a missing copy is tried again
	Clock   clock.Clock
	Log     *slog.Logger
}

// Taker takes snapshots.
type Taker struct{ Config }

// progress of the two halves, in percent.
const (
	readShare   = 70
	verifyShare = 100 - readShare
)

// attempt is one try at one snapshot.
type attempt struct {
	*Taker
	job   work.Job
	name  string
	codec *pack.Codec
}

// Snapshot does the job. It may be run again after any error or crash.
func (t *Taker) Snapshot(ctx context.Context, j work.Job) error {
	codec, err := pack.NewCodec(t.Root, j.Ref)
	if err != nil {
		return err
	}
	defer codec.Close()
	a := &attempt{Taker: t, job: j, name: snapshot.Name(j.Ref, j.ID), codec: codec}
	m, shipped, err := a.adopt(ctx)
	if err != nil {
		return err
	}
	if m == nil {
		if m, shipped, err = a.read(ctx); err != nil {
			return err
		}
	}
	return a.prove(ctx, m, shipped)
}

// adopt finds the manifest of an earlier attempt that died after its last write: then all is there and nothing is read
// again.
func (a *attempt) adopt(ctx context.Context) (*manifest.Manifest, map[string]error, error) {
	if a.job.Token <= 1 || a.damaged() {
		return nil, nil, nil
	}
	for _, r := range a.Regions {
		stored, err := r.Store.ReadAll(ctx, r.Bucket, manifest.Key(a.job.Ref, a.job.ID), "")
		if err != nil {
			continue // not there, or the region is away: then the attempt counts for nothing
		}
		m, err := a.codec.OpenManifest(a.name, stored)
		if err != nil {
			return nil, nil, fmt.Errorf("adopt snapshot in region %s: %w", r.Name, err)
		}
		return m, map[string]error{}, nil
	}
	return nil, nil, nil
}

// damaged says that an earlier attempt ended in an error, perhaps because what it wrote reads back differently: then
// nothing that is stored is relied on, and all is written anew.
func (a *attempt) damaged() bool { return a.job.Failures > 0 }

func (a *attempt) mode() ship.Mode {
	if a.damaged() {
		return ship.Cover
	}
	return ship.Once
}

// read takes rows, structure and objects, and ships them. While the objects' region is away, no table is locked in vain.
func (a *attempt) read(ctx context.Context) (*manifest.Manifest, map[string]error, error) {
	if err := a.sourceAnswers(ctx); err != nil {
		return nil, nil, err
	}
	target, err := a.Cells.Reader(ctx, snapshot.Workspace(a.job.Ref))
	if err != nil {
		return nil, nil, err
	}
	moment, err := target.Open(ctx, snapshot.Schema(a.job.Ref), a.Readers)
	if err != nil {
		return nil, nil, err
	}
	defer moment.Close(ctx)
	m := &manifest.Manifest{
		Format: manifest.Format, Snapshot: a.name, Attempt: a.job.Token, Schema: snapshot.Schema(a.job.Ref),
		Time: a.Clock.Now().Truncate(time.Microsecond),
	}
	shipCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	fleet := ship.Start(shipCtx, a.Regions, a.mode())
	err = a.fill(ctx, m, moment, fleet)
	if err != nil {
		cancel()
		fleet.Close()
		return nil, nil, err
	}
	shipped := fleet.Close()
	if err := a.sign(ctx, m, shipped); err != nil {
		return nil, nil, err
	}
	return m, shipped, nil
}

func (a *attempt) fill(ctx context.Context, m *manifest.Manifest, moment *cell.Moment, fleet *ship.Fleet) error {
	packer := pack.NewPacker(a.codec, m, func(ctx context.Context, number int, body []byte) error {
		return fleet.Put(ctx, manifest.PackKey(a.job.Ref, a.job.ID, m.Attempt, number), body)
	})
	work, inner := errgroup.WithContext(ctx)
	work.Go(func() error { return capture.Database(inner, a.source(ctx, moment), packer, m) })
	work.Go(func() error { return a.objects(inner, m, fleet) })
	if err := work.Wait(); err != nil {
		return err
	}
	var err error
	m.Packs, err = packer.Close(ctx)
	return err
}

func (a *attempt) source(ctx context.Context, moment *cell.Moment) capture.Source {
	s := capture.Source{Moment: moment, Version: moment.Version, Sequences: moment.Sequences, Workers: a.Readers}
	for _, t := range moment.Tables {
		s.Tables = append(s.Tables, t.Table)
		s.Bytes += t.Bytes
	}
	s.Progress = capture.Throttle(time.Second, a.Clock.Now, func(done, total int64) {
		a.progress(ctx, int(min(done*readShare/max(total, 1), readShare)))
	})
	return s
}

// progress is for people; that it could not be noted stops nothing.
func (a *attempt) progress(ctx context.Context, percent int) {
	if err := a.Store.SnapshotProgress(ctx, a.job, percent); err != nil && ctx.Err() == nil {
		a.Log.DebugContext(ctx, "progress not noted", "snapshot", a.name, "error", err)
	}
}

// sign writes the manifest into each region that took everything else: from then on the copy is complete.
func (a *attempt) sign(ctx context.Context, m *manifest.Manifest, shipped map[string]error) error {
	stored, err := a.codec.SealManifest(m)
	if err != nil {
		return err
	}
	fleet := ship.Start(ctx, slices.DeleteFunc(slices.Clone(a.Regions), func(r region.Region) bool { return shipped[r.Name] != nil }), a.mode())
	_ = fleet.Put(ctx, manifest.Key(a.job.Ref, a.job.ID), stored) // Close tells by region
	for name, err := range fleet.Close() {
		shipped[name] = err
	}
	var errs []error
	for _, err := range shipped {
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// prove reads every region back. A region that differs gets one repair from one that does not.
func (a *attempt) prove(ctx context.Context, m *manifest.Manifest, shipped map[string]error) error {
	proofs := a.verifyAll(ctx, m, shipped)
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	copies, errs := []snapshot.Copy{}, []error{}
	for _, r := range a.Regions {
		c := snapshot.Copy{Region: r.Name}
		if err := proofs[r.Name]; err != nil {
			c.Error = verify.Reason(err)
			errs = append(errs, err)
			a.Log.WarnContext(ctx, "region has no copy of the snapshot", "region", r.Name, "snapshot", a.name, "error", err)
		} else {
			now := a.Clock.Now()
			c.VerifiedAt = &now
		}
		copies = append(copies, c)
	}
	if len(errs) == len(a.Regions) {
		return errors.Join(errs...)
	}
	return a.Store.FinishSnapshot(ctx, a.job, m.Taken(), copies, a.Retry)
}

func (a *attempt) verifyAll(ctx context.Context, m *manifest.Manifest, shipped map[string]error) map[string]error {
	proofs := map[string]error{}
	results := make([]error, len(a.Regions))
	tick := a.ticker(ctx, m)
	var group errgroup.Group
	for i, r := range a.Regions {
		if results[i] = shipped[r.Name]; results[i] != nil {
			continue
		}
		group.Go(func() error {
			results[i] = verify.Region(ctx, r, a.want(m, tick))
			return nil
		})
	}
	_ = group.Wait() // each region has its own result
	for i, r := range a.Regions {
		proofs[r.Name] = results[i]
	}
	a.repair(ctx, m, proofs)
	return proofs
}

// repair makes up at once for a copy that was written but differs, or that lacks chunks which an earlier snapshot left out.
func (a *attempt) repair(ctx context.Context, m *manifest.Manifest, proofs map[string]error) {
	good := slices.IndexFunc(a.Regions, func(r region.Region) bool { return proofs[r.Name] == nil })
	if good < 0 {
		return
	}
	for _, r := range a.Regions {
		if proofs[r.Name] != nil && r.Store.Ready(ctx) == nil {
			proofs[r.Name] = Mend(ctx, a.Regions[good], r, a.want(m, func() {}))
		}
	}
}

func (a *attempt) want(m *manifest.Manifest, tick func()) verify.Want {
	return verify.Want{Ref: a.job.Ref, ID: a.job.ID, Manifest: m, Codec: a.codec, Tick: tick}
}

func (a *attempt) ticker(ctx context.Context, m *manifest.Manifest) func() {
	steps := int64(max(1, len(a.Regions)*(len(m.Packs)+len(m.Objects))))
	count := make(chan int64, 1)
	count <- 0
	tell := capture.Throttle(time.Second, a.Clock.Now, func(done, total int64) {
		a.progress(ctx, readShare+int(done*verifyShare/total))
	})
	return func() {
		n := <-count + 1
		count <- n
		tell(n, steps)
	}
}
