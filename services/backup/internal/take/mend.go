package take

import (
	"context"
	"fmt"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/verify"
)

// Mend makes the copy in bad equal to the one in good, byte for byte, and verifies it.
func Mend(ctx context.Context, good, bad region.Region, w verify.Want) error {
	if err := bad.Ensure(ctx); err != nil {
		return err
	}
	for _, key := range w.Keys() {
		if err := carry(ctx, good, bad, key); err != nil {
			return err
		}
	}
	return verify.Region(ctx, bad, w)
}

// carry copies one stored object unless the other region has the very same bytes.
func carry(ctx context.Context, good, bad region.Region, key string) error {
	body, err := good.Store.ReadAll(ctx, good.Bucket, key, "")
	if err != nil {
		return fmt.Errorf("read %s from region %s: %w", key, good.Name, err)
	}
	there, err := bad.Store.ReadAll(ctx, bad.Bucket, key, "")
	if err == nil && pack.Sum(there) == pack.Sum(body) {
		return nil
	}
	// Damaged bytes are covered by a new version; the bucket keeps them for whoever wants to know what happened.
	if _, err := bad.Store.Put(ctx, bad.Bucket, key, body, blob.PutOptions{}); err != nil {
		return fmt.Errorf("write %s to region %s: %w", key, bad.Name, err)
	}
	return nil
}
