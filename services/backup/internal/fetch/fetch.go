// Package fetch reads a snapshot's bytes for a restore: from one region, and from the next when that one is away or its
// bytes are damaged. Nothing is handed out that is not exactly what was sealed.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// kept is how many packs stay in memory, each about 5 MiB.
const kept = 6

// Source is one snapshot in one or more regions. It is safe for concurrent use.
type Source struct {
	Manifest *manifest.Manifest

	regions region.Set
	codec   *pack.Codec
	ref     string
	id      uuid.UUID

	mu    sync.Mutex
	first int // index of the region that is asked first
	packs map[int]*held
	order []int // of packs, oldest first
}

// held is a pack that is being fetched or is there.
type held struct {
	ready chan struct{}
	body  []byte
	err   error
}

// Open reads the manifest from the first region that has it whole.
func Open(ctx context.Context, regions region.Set, codec *pack.Codec, ref string, id uuid.UUID) (*Source, error) {
	s := &Source{regions: regions, codec: codec, ref: ref, id: id, packs: map[int]*held{}}
	err := s.each(ctx, func(r region.Region) error {
		if err := r.Answers(ctx); err != nil {
			return err
		}
		stored, err := r.Store.ReadAll(ctx, r.Bucket, manifest.Key(ref, id), "")
		if err == nil {
			s.Manifest, err = codec.OpenManifest(snapshot.Name(ref, id), stored)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Region is the region that is read now.
func (s *Source) Region() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.regions[s.first].Name
}

// each asks the regions in turn until f succeeds, and goes on with that region from then on.
func (s *Source) each(ctx context.Context, f func(r region.Region) error) error {
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	var errs []error
	for i := range s.regions {
		at := (first + i) % len(s.regions)
		err := f(s.regions[at])
		if err == nil {
			s.mu.Lock()
			s.first = at
			s.mu.Unlock()
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		errs = append(errs, fmt.Errorf("region %s: %w", s.regions[at].Name, err))
	}
	return unreadable(errors.Join(errs...), errs)
}

// unreadable tells a snapshot that is away for now from one that is damaged or gone.
func unreadable(err error, each []error) error {
	for _, e := range each {
		switch fault.CodeOf(e) {
		case codes.Unavailable, codes.DeadlineExceeded, codes.Unauthenticated:
			return fault.Unavailable("SNAPSHOT_UNREACHABLE", "No region hands the snapshot out at the moment.").
				WithRemedy("Try again when the region is back, or name another region.").WithCause(err)
		}
	}
	return fault.New(codes.DataLoss, "SNAPSHOT_DAMAGED", "The snapshot's bytes are missing or damaged in every region asked.").
		WithRemedy("Restore another snapshot, or name another region.").WithCause(err)
}

// Frame returns the plain bytes of a frame.
func (s *Source) Frame(ctx context.Context, f manifest.Frame) ([]byte, error) {
	body, err := s.pack(ctx, f.Pack)
	if err != nil {
		return nil, err
	}
	return s.codec.OpenFrame(s.Manifest, f, body)
}

// pack returns a whole pack, fetched once for all who ask at the same time.
func (s *Source) pack(ctx context.Context, number int) ([]byte, error) {
	s.mu.Lock()
	h, ok := s.packs[number]
	if !ok {
		h = &held{ready: make(chan struct{})}
		s.packs[number] = h
		s.order = append(s.order, number)
		if len(s.order) > kept {
			delete(s.packs, s.order[0])
			s.order = s.order[1:]
		}
	}
	s.mu.Unlock()
	if !ok {
		h.body, h.err = s.load(ctx, number)
		close(h.ready)
	}
	select {
	case <-h.ready:
		return h.body, h.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// load reads a pack and compares its hash, in one region after the other.
func (s *Source) load(ctx context.Context, number int) (body []byte, err error) {
	if number < 0 || number >= len(s.Manifest.Packs) {
		return nil, fmt.Errorf("pack %d is not in the manifest: %w", number, pack.ErrDamaged)
	}
	want := s.Manifest.Packs[number]
	key := manifest.PackKey(s.ref, s.id, s.Manifest.Attempt, number)
	err = s.each(ctx, func(r region.Region) error {
		if body, err = r.Store.ReadAll(ctx, r.Bucket, key, ""); err != nil {
			return err
		}
		if pack.Sum(body) != want.SHA256 {
			return fmt.Errorf("pack %d has another hash: %w", number, pack.ErrDamaged)
		}
		return nil
	})
	return body, err
}

// Chunk returns the plain bytes of an object's chunk.
func (s *Source) Chunk(ctx context.Context, c manifest.Chunk) (plain []byte, err error) {
	err = s.each(ctx, func(r region.Region) error {
		stored, err := r.Store.ReadAll(ctx, r.Bucket, manifest.ChunkKey(s.ref, c.Address), "")
		if err == nil {
			plain, err = s.codec.OpenChunk(c, stored)
		}
		return err
	})
	return plain, err
}
