// Package verify reads a snapshot back from one region, every byte, and compares it with what was read from the cell. It
// believes no answer of the storage but the bytes.
package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// readers is how many packs or objects are read at once.
const readers = 3

// Want is what the region should hold.
type Want struct {
	Ref      string
	ID       uuid.UUID // of the snapshot
	Manifest *manifest.Manifest
	Codec    *pack.Codec
	Tick     func() // called after each pack and object
}

func (w Want) pack(number int) string {
	return manifest.PackKey(w.Ref, w.ID, w.Manifest.Attempt, number)
}

// Keys are all stored objects of the copy, the manifest last.
func (w Want) Keys() []string {
	var keys []string
	for _, p := range w.Manifest.Packs {
		keys = append(keys, w.pack(p.Number))
	}
	seen := map[string]bool{}
	for _, o := range w.Manifest.Objects {
		for _, c := range o.Chunks {
			if !seen[c.Address] {
				seen[c.Address] = true
				keys = append(keys, manifest.ChunkKey(w.Ref, c.Address))
			}
		}
	}
	return append(keys, manifest.Key(w.Ref, w.ID))
}

// Region reads everything back. The error says what is missing or differs; pack.ErrDamaged marks bytes that differ.
func Region(ctx context.Context, r region.Region, w Want) error {
	stored, err := r.Store.ReadAll(ctx, r.Bucket, manifest.Key(w.Ref, w.ID), "")
	if err != nil {
		return fmt.Errorf("read manifest back from region %s: %w", r.Name, err)
	}
	m, err := w.Codec.OpenManifest(w.Manifest.Snapshot, stored)
	if err != nil {
		return fmt.Errorf("region %s: %w", r.Name, err)
	}
	if !equal(m, w.Manifest) {
		return fmt.Errorf("manifest in region %s is another one: %w", r.Name, pack.ErrDamaged)
	}
	if err := packs(ctx, r, w); err != nil {
		return err
	}
	return objects(ctx, r, w)
}

func equal(a, b *manifest.Manifest) bool {
	one, errA := a.Encode()
	two, errB := b.Encode()
	return errA == nil && errB == nil && bytes.Equal(one, two)
}

func packs(ctx context.Context, r region.Region, w Want) error {
	frames := map[int][]manifest.Frame{}
	for _, stream := range w.Manifest.Streams() {
		for _, f := range stream.Frames {
			frames[f.Pack] = append(frames[f.Pack], f)
		}
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(readers)
	for _, p := range w.Manifest.Packs {
		work.Go(func() error {
			if err := onePack(ctx, r, w, p, frames[p.Number]); err != nil {
				return err
			}
			w.Tick()
			return nil
		})
	}
	return work.Wait()
}

func onePack(ctx context.Context, r region.Region, w Want, p manifest.Pack, frames []manifest.Frame) error {
	body, err := r.Store.ReadAll(ctx, r.Bucket, w.pack(p.Number), "")
	if err != nil {
		return fmt.Errorf("read pack %d back from region %s: %w", p.Number, r.Name, err)
	}
	if pack.Sum(body) != p.SHA256 {
		return fmt.Errorf("pack %d in region %s has another hash: %w", p.Number, r.Name, pack.ErrDamaged)
	}
	for _, f := range frames {
		plain, err := w.Codec.OpenFrame(w.Manifest, f, body)
		if err == nil && pack.Sum(plain) != f.SHA256 {
			err = fmt.Errorf("a frame has another hash: %w", pack.ErrDamaged)
		}
		if err != nil {
			return fmt.Errorf("pack %d in region %s: %w", p.Number, r.Name, err)
		}
	}
	return nil
}

func objects(ctx context.Context, r region.Region, w Want) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(readers)
	for _, o := range w.Manifest.Objects {
		work.Go(func() error {
			if err := oneObject(ctx, r, w, o); err != nil {
				return err
			}
			w.Tick()
			return nil
		})
	}
	return work.Wait()
}

func oneObject(ctx context.Context, r region.Region, w Want, o manifest.Object) error {
	whole := sha256.New()
	for _, c := range o.Chunks {
		stored, err := r.Store.ReadAll(ctx, r.Bucket, manifest.ChunkKey(w.Ref, c.Address), "")
		if err != nil {
			return fmt.Errorf("read object back from region %s: %w", r.Name, err)
		}
		plain, err := w.Codec.OpenChunk(c, stored)
		if err != nil {
			return fmt.Errorf("region %s: %w", r.Name, err)
		}
		whole.Write(plain)
	}
	if hex.EncodeToString(whole.Sum(nil)) != o.SHA256 {
		return fmt.Errorf("an object in region %s has another hash: %w", r.Name, pack.ErrDamaged)
	}
	return nil
}

// Reason is one sentence for people outside about why a region's copy is missing.
func Reason(err error) string {
	if errors.Is(err, pack.ErrDamaged) {
		return "The copy was read back and differs."
	}
	return snapshot.ProblemOf(err).Message
}
