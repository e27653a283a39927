// Package bucketstore makes a workspace's part in one S3 region: the bucket by S3, and the user with its key by the AWS
// IAM API. It speaks no administration API of any server. Every act is idempotent: what exists is adopted.
package bucketstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/services/tenant/internal/provision"
	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Config says where a region is.
type Config struct {
	Name        string // "primary" or "dr"
	S3          blob.Config
	IAMEndpoint string // URL of the IAM API
}

// Region is one S3 region, with a key that may make buckets and users.
type Region struct {
	name  string
	store *blob.Store
	users *users
}

// Open returns a Region; it makes no request.
func Open(c Config) (*Region, error) {
	store, err := blob.Open(c.S3)
	if err != nil {
		return nil, fmt.Errorf("region %s: %w", c.Name, err)
	}
	return &Region{name: c.Name, store: store, users: newUsers(c)}, nil
}

// Name is the region's name.
func (r *Region) Name() string { return r.name }

// Start does nothing: the first use connects.
func (r *Region) Start(context.Context) error { return nil }

// Stop ends idle connections.
func (r *Region) Stop(context.Context) error {
	r.store.Close()
	r.users.close()
	return nil
}

// BuildSlot creates or adopts the bucket, versioned, and the user, and gives the user a fresh key in place of any that
// an earlier attempt left.
func (r *Region) BuildSlot(ctx context.Context, ref string) (slot.S3Key, error) {
	bucket := workspace.Bucket(ref)
	if err := r.store.MakeBucket(ctx, bucket); err != nil {
		return slot.S3Key{}, r.failed("make bucket", bucket, err)
	}
	if err := r.store.EnableVersioning(ctx, bucket); err != nil {
		return slot.S3Key{}, r.failed("version bucket", bucket, err)
	}
	if err := r.users.ensure(ctx, bucket, policy(bucket)); err != nil {
		return slot.S3Key{}, r.failed("make user", bucket, err)
	}
	k, err := r.users.freshKey(ctx, bucket)
	if err != nil {
		return slot.S3Key{}, r.failed("make key of user", bucket, err)
	}
	return k, nil
}

// RevokeWorkspace deactivates every key of the workspace's user; no user is no error.
func (r *Region) RevokeWorkspace(ctx context.Context, ref string) error {
	if err := r.users.deactivate(ctx, workspace.Bucket(ref)); err != nil {
		return r.failed("deactivate keys of user", workspace.Bucket(ref), err)
	}
	return nil
}

// Inventory lists what exists in the region, by ref.
func (r *Region) Inventory(ctx context.Context) (provision.Inventory, error) {
	buckets, bucketsErr := r.store.Buckets(ctx)
	names, usersErr := r.users.list(ctx)
	if err := errors.Join(bucketsErr, usersErr); err != nil {
		return provision.Inventory{}, r.failed("list", "buckets and users", err)
	}
	i := provision.NewInventory()
	parts := map[string]int{}
	for _, name := range append(buckets, names...) {
		if ref, ok := strings.CutPrefix(name, "w-"); ok && workspace.ValidRef(ref) {
			i.Any[ref] = true
			parts[ref]++
			i.Whole[ref] = parts[ref] == 2
		}
	}
	return i, nil
}

func (r *Region) failed(what, name string, err error) error {
	return fmt.Errorf("region %s: %s %s: %w", r.name, what, name, err)
}

// policy lets a user do in its bucket whatever does not weaken it: versions stay, and so do versioning, the bucket and
// who may enter. Locks on objects are refused too: they would outlive the workspace, and its erasure could not pass them.
func policy(bucket string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[`+
		`{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::%[1]s","arn:aws:s3:::%[1]s/*"]},`+
		`{"Effect":"Deny","Action":["s3:DeleteObjectVersion","s3:PutBucketVersioning","s3:PutBucketPolicy",`+
		`"s3:DeleteBucketPolicy","s3:DeleteBucket","s3:PutLifecycleConfiguration","s3:PutBucketAcl","s3:PutObjectAcl",`+
		`"s3:PutBucketOwnershipControls","s3:PutReplicationConfiguration","s3:PutBucketObjectLockConfiguration",`+
		`"s3:PutObjectRetention","s3:PutObjectLegalHold","s3:BypassGovernanceRetention"],"Resource":"*"}]}`, bucket)
}
