package take

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
	"github.com/naksha-cloud/naksha/services/backup/internal/verify"
)

// Missing is a region that lacks a snapshot.
type Missing struct {
	Ref        string
	SnapshotID uuid.UUID
	Region     string
	Failures   int
}

// Copies keeps which region has which snapshot.
type Copies interface {
	// NextMissing takes the next copy to make up for, and puts it off by delay in case that fails; false when there is none.
	NextMissing(ctx context.Context, delay func(failures int) time.Duration) (Missing, bool, error)
	// CopyVerified notes that a region has the snapshot after all.
	CopyVerified(ctx context.Context, m Missing) error
	// CopyFailed notes why a region still lacks the snapshot.
	CopyFailed(ctx context.Context, m Missing, reason string) error
}

// MakeUp ships one snapshot that a region missed while it was away; false when there is none.
func (t *Taker) MakeUp(ctx context.Context, copies Copies) (worked bool, err error) {
	missing, found, err := copies.NextMissing(ctx, t.putOff)
	if err != nil || !found {
		return false, err
	}
	if err := t.makeUp(ctx, missing); err != nil {
		return true, errors.Join(fmt.Errorf("make up for %s in region %s: %w", snapshot.Name(missing.Ref, missing.SnapshotID), missing.Region, err),
			copies.CopyFailed(ctx, missing, verify.Reason(err)))
	}
	return true, copies.CopyVerified(ctx, missing)
}

// putOff is Retry, doubled with each failure up to an hour.
func (t *Taker) putOff(failures int) time.Duration {
	return min(t.Retry<<min(failures, 16), max(time.Hour, t.Retry))
}

func (t *Taker) makeUp(ctx context.Context, missing Missing) error {
	at := slices.IndexFunc(t.Regions, func(r region.Region) bool { return r.Name == missing.Region })
	if at < 0 {
		return fault.Precondition("REGION_UNKNOWN", "Region %s is not configured any more.", missing.Region)
	}
	bad := t.Regions[at]
	if err := bad.Store.Ready(ctx); err != nil {
		return err
	}
	codec, err := pack.NewCodec(t.Root, missing.Ref)
	if err != nil {
		return err
	}
	defer codec.Close()
	var errs []error
	for _, good := range t.Regions {
		if good.Name == bad.Name {
			continue
		}
		var m *manifest.Manifest
		if m, err = Manifest(ctx, region.Set{good}, codec, missing.Ref, missing.SnapshotID); err == nil {
			err = Mend(ctx, good, bad, verify.Want{Ref: missing.Ref, ID: missing.SnapshotID, Manifest: m, Codec: codec, Tick: func() {}})
		}
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
