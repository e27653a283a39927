// Package putback makes a bucket show what a snapshot holds, and undoes that. Nothing is deleted for good: old versions
// stay under new ones and under delete markers, and what was replaced is written down before it is replaced.
package putback

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

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
	Log    *slog.Logger
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
	case v.Kept() && v.VersionID == o.VersionID:
		return true, nil
	}
	about, err := b.Store.Stat(ctx, b.Name, v.Key, idOf(v))
	if err != nil {
		return false, fmt.Errorf("look at object in region %s: %w", b.Region, err)
	}
	return about.ContentType == o.ContentType && maps.Equal(about.Meta, o.Meta), nil
}

// idOf is by what a current version is asked for: one that is not kept goes without, since not every server knows it as null.
func idOf(v blob.Version) string {
	if v.Kept() {
		return v.VersionID
	}
	return ""
}
