package capture

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
)

const (
	// skew is how far the clock of a region may be behind ours: a version that is so much younger than the moment is
	// still taken. Too much is harmless, too little would miss what was acknowledged before.
	skew = time.Second
	// objectReaders is how many objects are read at once; each holds one chunk in memory.
	objectReaders = 3
)

// Objects describes how a bucket is read.
type Objects struct {
	Store  *blob.Store
	Bucket string
	Before time.Time                                              // the snapshot's moment
	Known  map[string]manifest.Object                             // by version: objects of an earlier snapshot, whose chunks exist
	Put    func(ctx context.Context, a string, body []byte) error // stores a sealed chunk under its address, unless it is there
	Codec  *pack.Codec
}

// List returns the version of each key that was current at the moment, by key, without its bytes. What the bucket keeps no
// versions of is taken as it is, whenever it was written: what it was at the moment is gone.
func (o Objects) List(ctx context.Context) ([]blob.Version, error) {
	unseen, err := o.keys(ctx)
	if err != nil {
		return nil, err
	}
	current := map[string]blob.Version{}
	for v, err := range o.Store.ListVersions(ctx, o.Bucket, "") {
		if err != nil {
			return nil, fmt.Errorf("list versions of objects: %w", err)
		}
		delete(unseen, v.Key)
		if v.Kept() && v.Written().After(o.Before.Add(skew)) {
			continue
		}
		if before, ok := current[v.Key]; !ok || blob.Newer(v, before) {
			current[v.Key] = v
		}
	}
	for key := range unseen {
		_, err := o.Store.Stat(ctx, o.Bucket, key, "")
		if fault.CodeOf(err) == codes.NotFound {
			continue // its versions were deleted meanwhile
		}
		if err != nil {
			return nil, unreadable(fault.CodeOf(err), key, err)
		}
		return nil, fault.Unavailable("OBJECTS_UNLISTED", "The storage listed %d objects that it has no version of, such as %q.", len(unseen), key).
			WithRemedy("Try again; if it stays, the storage's listings cannot be relied on.")
	}
	var found []blob.Version
	for _, key := range slices.Sorted(maps.Keys(current)) {
		if v := current[key]; !v.DeleteMarker {
			found = append(found, v)
		}
	}
	return found, nil
}

// keys are those of all objects. A later listing of versions that lacks one of them was cut short, and a snapshot made from
// it would be too: versions stay under a key that is deleted.
func (o Objects) keys(ctx context.Context) (map[string]struct{}, error) {
	found := map[string]struct{}{}
	for v, err := range o.Store.List(ctx, o.Bucket, "") {
		if err != nil {
			return nil, fmt.Errorf("list objects: %w", err)
		}
		found[v.Key] = struct{}{}
	}
	return found, nil
}

// Take reads the listed versions and returns them as the manifest lists them.
func (o Objects) Take(ctx context.Context, versions []blob.Version) ([]manifest.Object, error) {
	taken := make([]manifest.Object, len(versions))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(objectReaders)
	for i, v := range versions {
		if known, ok := o.Known[Identity(v)]; ok && v.Kept() {
			taken[i] = known
			continue
		}
		work.Go(func() (err error) {
			taken[i], err = o.one(ctx, v)
			return err
		})
	}
	return taken, work.Wait()
}

// Identity names a version's bytes: where the version is kept, they never change.
func Identity(v blob.Version) string { return v.Key + "\x00" + v.VersionID + "\x00" + v.ETag }

// IdentityOf is Identity of an object in a manifest.
func IdentityOf(m manifest.Object) string { return m.Key + "\x00" + m.VersionID + "\x00" + m.ETag }

func (o Objects) one(ctx context.Context, v blob.Version) (manifest.Object, error) {
	body, about, err := o.Store.Open(ctx, o.Bucket, v.Key, v.VersionID)
	if err != nil {
		return manifest.Object{}, unreadable(fault.CodeOf(err), v.Key, err)
	}
	defer func() { _ = body.Close() }() // read to its end, or the error is told
	if !v.Kept() {
		v.ETag, v.Size = about.ETag, about.Size // it may have been written again since it was listed
	}
	m := manifest.Object{
		Key: v.Key, VersionID: v.VersionID, ETag: v.ETag, Size: v.Size, Modified: v.Written(),
		ContentType: about.ContentType, Meta: about.Meta,
	}
	if err := o.chunks(ctx, body, &m); err != nil {
		return manifest.Object{}, err
	}
	return m, nil
}

func unreadable(code codes.Code, key string, cause error) error {
	return fault.New(code, "OBJECT_UNREADABLE", "The workspace's object %q could not be read, and no snapshot is taken without it.", key).
		WithRemedy("Try again; if it stays, look for the reason in the storage, or delete the object.").WithCause(cause)
}

func (o Objects) chunks(ctx context.Context, body io.Reader, m *manifest.Object) error {
	whole := sha256.New()
	buffer := make([]byte, min(pack.ChunkSize, m.Size+1))
	var size int64
	for {
		n, err := io.ReadFull(body, buffer)
		if n > 0 {
			plain := buffer[:n]
			whole.Write(plain)
			size += int64(n)
			chunk := manifest.Chunk{Address: o.Codec.Address(plain), Bytes: int64(n)}
			sealed := o.Codec.Seal(nil, pack.ChunkPlace(chunk.Address), plain)
			chunk.Stored = int64(len(sealed))
			if err := o.Put(ctx, chunk.Address, sealed); err != nil {
				return fmt.Errorf("store object: %w", err)
			}
			m.Chunks = append(m.Chunks, chunk)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return unreadable(codes.Unavailable, m.Key, err)
		}
	}
	if size != m.Size {
		return unreadable(codes.Unavailable, m.Key, fmt.Errorf("it broke off after %d of %d bytes", size, m.Size))
	}
	m.SHA256 = hex.EncodeToString(whole.Sum(nil))
	return nil
}
