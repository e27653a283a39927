package putback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

// writers is how many objects are written at once.
const writers = 3

// Check reads every object that a plan needs, so that nothing is touched when one is damaged.
func Check(ctx context.Context, s Source, changes []Change) error {
	return each(ctx, changes, func(ctx context.Context, c Change) error {
		if c.Put == nil {
			return nil
		}
		body := s.Open(ctx, *c.Put)
		size, err := io.Copy(io.Discard, body)
		if err = errors.Join(err, body.Close()); err != nil {
			return err
		}
		if size != c.Put.Size {
			return fmt.Errorf("object has %d bytes instead of %d", size, c.Put.Size)
		}
		return nil
	})
}

// Apply carries a plan out.
func Apply(ctx context.Context, b Bucket, s Source, j Journal, changes []Change) error {
	return each(ctx, changes, func(ctx context.Context, c Change) error {
		if err := j.Replace(ctx, Replaced{Region: b.Region, Key: c.Key, Version: c.Current}); err != nil {
			return err
		}
		if c.Put == nil {
			return b.Store.Delete(ctx, b.Name, c.Key, "")
		}
		body := s.Open(ctx, *c.Put)
		_, err := b.Store.PutLarge(ctx, b.Name, c.Key, body, c.Put.Size, blob.PutOptions{ContentType: c.Put.ContentType, Meta: c.Put.Meta})
		return errors.Join(b.unlessMisplaced(ctx, c.Key, err), body.Close())
	})
}

// unlessMisplaced lets a folder marker stay away, for good, where it cannot be beside the objects that have come since: no
// repeat would bring it back, and it holds nothing.
func (b Bucket) unlessMisplaced(ctx context.Context, key string, err error) error {
	if !strings.HasSuffix(key, "/") || !refused(err) {
		return err
	}
	b.Log.WarnContext(ctx, "folder marker stays away: an object has its name", "region", b.Region, "bucket", b.Name, "key", key)
	return nil
}

// Undo makes the replaced versions current again.
func Undo(ctx context.Context, b Bucket, replaced []Replaced) error {
	return each(ctx, replaced, func(ctx context.Context, r Replaced) error {
		if r.Version == "" {
			return b.Store.Delete(ctx, b.Name, r.Key, "")
		}
		return again(ctx, b, r)
	})
}

// again writes an old version once more, as the newest.
func again(ctx context.Context, b Bucket, r Replaced) error {
	now, err := b.Store.Stat(ctx, b.Name, r.Key, "")
	if err == nil && now.VersionID == r.Version {
		return nil
	}
	about, err := b.Store.Stat(ctx, b.Name, r.Key, r.Version)
	if fault.ReasonOf(err) == "OBJECT_NOT_FOUND" {
		return b.marker(ctx, r) // else erased for good in the meantime, by somebody who may
	}
	if err != nil {
		return fmt.Errorf("look at replaced object: %w", err)
	}
	body, err := b.Store.Get(ctx, b.Name, r.Key, r.Version)
	if err != nil {
		return fmt.Errorf("read replaced object: %w", err)
	}
	_, err = b.Store.PutLarge(ctx, b.Name, r.Key, body, about.Size, blob.PutOptions{ContentType: about.ContentType, Meta: about.Meta})
	return errors.Join(err, body.Close())
}

// marker puts an empty folder marker back: where versions of those are not kept, deleting one left nothing of it.
func (b Bucket) marker(ctx context.Context, r Replaced) error {
	if !strings.HasSuffix(r.Key, "/") || (blob.Version{VersionID: r.Version}).Kept() {
		return nil
	}
	_, err := b.Store.Put(ctx, b.Name, r.Key, nil, blob.PutOptions{})
	return b.unlessMisplaced(ctx, r.Key, err)
}

// each does f to all. The first error ends it, but a refusal of one key keeps no other from its turn: it comes at the end.
func each[T any](ctx context.Context, list []T, f func(ctx context.Context, one T) error) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(writers)
	refusals := make([]error, len(list))
	for i, one := range list {
		work.Go(func() error {
			err := f(ctx, one)
			if refused(err) {
				refusals[i], err = err, nil
			}
			return err
		})
	}
	return errors.Join(append(refusals, work.Wait())...)
}

// refused says that the storage cannot have such a key beside its others. Where objects are files, a folder marker is refused
// while an object, even a deleted one, has the folder's name.
func refused(err error) bool {
	code := fault.CodeOf(err)
	return code == codes.AlreadyExists || code == codes.InvalidArgument
}
