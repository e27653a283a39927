// Package region names the places where copies lie: one S3 endpoint with the platform's backup bucket in each. Regions
// are independent: what one cannot do never keeps another from doing it.
package region

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/naksha-cloud/naksha/pkg/blob"
)

// The regions' names, in the order in which they are preferred.
const (
	Primary = "primary"
	DR      = "dr"
)

// Region is one place for copies.
type Region struct {
	Name   string
	Bucket string // of the platform's backups
	Store  *blob.Store
	made   *atomic.Bool // the bucket is there
}

// New names a region; nothing is asked of it yet.
func New(name, bucket string, store *blob.Store) Region {
	return Region{Name: name, Bucket: bucket, Store: store, made: &atomic.Bool{}}
}

// patience is how long a region may take to answer a question that costs it nothing.
const patience = 3 * time.Second

// Answers returns nil when the region is there. Asked first where another region could do the work or the work can wait:
// a region that hangs would else cost every request its whole deadline.
func (r Region) Answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := r.Store.Ready(ctx); err != nil {
		return fmt.Errorf("region %s does not answer: %w", r.Name, err)
	}
	return nil
}

// Set is all regions, in the order of preference.
type Set []Region

// Source is the one region that customers write to: only its key is handed to them.
func (s Set) Source() Region { return s[0] }

// Only returns the named region alone, or all when name is empty.
func (s Set) Only(name string) Set {
	if name == "" {
		return s
	}
	return slices.Collect(func(yield func(Region) bool) {
		for _, r := range s {
			if r.Name == name && !yield(r) {
				return
			}
		}
	})
}

// Names are the regions' names.
func (s Set) Names() []string {
	var names []string
	for _, r := range s {
		names = append(names, r.Name)
	}
	return names
}

// Ensure makes the bucket in every region that answers, and says which do not.
func (s Set) Ensure(ctx context.Context) error {
	var errs []error
	for _, r := range s {
		errs = append(errs, r.Ensure(ctx))
	}
	return errors.Join(errs...)
}

// Ensure makes the region's backup bucket when it is missing, with versions. Once done, it asks no more.
func (r Region) Ensure(ctx context.Context) error {
	if r.made.Load() {
		return nil
	}
	if err := r.Store.MakeBucket(ctx, r.Bucket); err != nil {
		return fmt.Errorf("make bucket %s in region %s: %w", r.Bucket, r.Name, err)
	}
	if err := r.Store.EnableVersioning(ctx, r.Bucket); err != nil {
		return fmt.Errorf("keep versions of %s in region %s: %w", r.Bucket, r.Name, err)
	}
	r.made.Store(true)
	return nil
}
