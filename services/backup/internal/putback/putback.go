// Package putback makes a bucket show what a snapshot holds, and undoes that. Nothing is deleted for good: old versions
// stay under new ones and under delete markers, and what was replaced is written down before it is replaced.
package putback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// writers is how many objects are written at once.
const writers = 3

// Replaced is the version that was current before a key was touched.
type Replaced struct {
	Region  string
	Key     string
	Version string // empty = there was no object
}

// Journal keeps what is replaced.
type Journal interface {
	// Replace notes what is current before a key is touched; the first note of a key stands.
	Replace(ctx context.Context, r Replaced) error
}

// Bucket is a workspace's bucket in one region.
type Bucket struct {
	Region string
	Store  *blob.Store
	Name   string
}

// Source hands out objects of the snapshot.
type Source interface {
	// Open reads an object's bytes; nothing but the very bytes.
	Open(ctx context.Context, o manifest.Object) io.ReadCloser
}

// Change is what must be done to one key.
type Change struct {
	Key     string
	Current string           // version that is current now; empty = none
	Put     *manifest.Object // nil = delete
}

// Plan compares the bucket with the snapshot. What the customer changed after since is left alone.
func Plan(ctx context.Context, b Bucket, want []manifest.Object, since time.Time) ([]Change, error) {
	wanted := map[string]*manifest.Object{}
	for i := range want {
		wanted[want[i].Key] = &want[i]
	}
	current, err := latest(ctx, b)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for key, v := range current {
		o := wanted[key]
		if v.Written().After(since) {
			continue
		}
		same, err := equal(ctx, b, v, o)
		if err != nil {
			return nil, err
		}
		if !same {
			changes = append(changes, Change{Key: key, Current: existing(v), Put: o})
		}
	}
	for key, o := range wanted {
		if _, ok := current[key]; !ok {
			changes = append(changes, Change{Key: key, Put: o})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return compare(a.Key, b.Key) })
	return changes, nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func latest(ctx context.Context, b Bucket) (map[string]blob.Version, error) {
	found := map[string]blob.Version{}
	for v, err := range b.Store.ListVersions(ctx, b.Name, "") {
		if err != nil {
			return nil, fmt.Errorf("list objects in region %s: %w", b.Region, err)
		}
		if before, ok := found[v.Key]; !ok || blob.Newer(v, before) {
			found[v.Key] = v
		}
	}
	return found, nil
}

func existing(v blob.Version) string {
	if v.DeleteMarker {
		return ""
	}
	return v.VersionID
}

// equal says whether the current version is the one of the snapshot: by its id, or by size, hash and properties, since
// regions number their versions themselves.
func equal(ctx context.Context, b Bucket, v blob.Version, o *manifest.Object) (bool, error) {
	switch {
	case o == nil:
		return v.DeleteMarker, nil
	case v.DeleteMarker || v.Size != o.Size || v.ETag != o.ETag:
		return false, nil
	case v.VersionID == o.VersionID:
		return true, nil
	}
	about, err := b.Store.Stat(ctx, b.Name, v.Key, v.VersionID)
	if err != nil {
		return false, fmt.Errorf("look at object in region %s: %w", b.Region, err)
	}
	return about.ContentType == o.ContentType && maps.Equal(about.Meta, o.Meta), nil
}

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
		return errors.Join(err, body.Close())
	})
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
		return nil // erased for good in the meantime, by somebody who may
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

func each[T any](ctx context.Context, list []T, f func(ctx context.Context, one T) error) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(writers)
	for _, one := range list {
		work.Go(func() error { return f(ctx, one) })
	}
	return work.Wait()
}
