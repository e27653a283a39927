package take

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/capture"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/ship"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// sourceAnswers returns nil when the region that customers write to is there. Unavailable: not yet.
func (a *attempt) sourceAnswers(ctx context.Context) error {
	source := a.Regions.Source()
	if err := source.Answers(ctx); err != nil {
		return fault.Unavailable("OBJECTS_UNREACHABLE", "Region %s, where the workspace's objects are, does not answer.", source.Name).
			WithRemedy("Try again when it is back; older snapshots can be restored meanwhile.").WithCause(err)
	}
	return nil
}

// objects reads the bucket in the region that customers write to, and in no other: elsewhere it shows what restores put
// there, so that a snapshot of it would pass for one of the workspace and lose its objects.
func (a *attempt) objects(ctx context.Context, m *manifest.Manifest, fleet *ship.Fleet) error {
	known, err := a.known(ctx)
	if err != nil {
		return err
	}
	source := a.Regions.Source()
	o := capture.Objects{
		Store: source.Store, Bucket: snapshot.Bucket(a.job.Ref), Before: m.Time, Known: known, Codec: a.codec,
		Put: func(ctx context.Context, address string, body []byte) error {
			return fleet.Put(ctx, manifest.ChunkKey(a.job.Ref, address), body)
		},
	}
	versions, err := o.List(ctx)
	if err == nil {
		m.Objects, err = o.Take(ctx, versions)
	}
	if err != nil {
		return fmt.Errorf("objects in region %s: %w", source.Name, err)
	}
	m.ObjectRegion = source.Name
	return nil
}

// known are the objects of the newest snapshot: their chunks are stored already. Without it all are read again.
func (a *attempt) known(ctx context.Context) (map[string]manifest.Object, error) {
	id, found, err := a.Store.Newest(ctx, a.job.Ref)
	if err != nil || !found || a.damaged() {
		return nil, err
	}
	known := map[string]manifest.Object{}
	m, err := Manifest(ctx, a.Regions, a.codec, a.job.Ref, id)
	if err != nil {
		a.Log.WarnContext(ctx, "earlier snapshot is unreadable, all objects are read again", "snapshot", id, "error", err)
		return known, nil
	}
	for _, o := range m.Objects {
		known[capture.IdentityOf(o)] = o
	}
	return known, nil
}

// Manifest reads a snapshot's manifest from the first region that has it whole.
func Manifest(ctx context.Context, regions region.Set, codec *pack.Codec, ref string, id uuid.UUID) (*manifest.Manifest, error) {
	var errs []error
	for _, r := range regions {
		stored, err := r.Store.ReadAll(ctx, r.Bucket, manifest.Key(ref, id), "")
		if err == nil {
			var m *manifest.Manifest
			if m, err = codec.OpenManifest(snapshot.Name(ref, id), stored); err == nil {
				return m, nil
			}
		}
		errs = append(errs, fmt.Errorf("region %s: %w", r.Name, err))
	}
	return nil, errors.Join(errs...)
}
