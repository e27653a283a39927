package quota

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

const (
	// countPause times the duration of a count is the time until the next one: a customer at the limit cannot keep the disks
	// busy with counting.
	countPause = 10
	// countLife is how long a write is refused by one count, in which another write that was under way may stand twice.
	countLife = time.Minute
)

// buckets are the states of the buckets that were written to.
type buckets struct {
	older  string
	mu     sync.Mutex
	states map[string]*state
}

func (b *buckets) state(bucket string) *state {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.states[bucket]
	if !ok {
		s = &state{dirs: [2]string{bucket, filepath.Join(b.older, bucket)}}
		b.states[bucket] = s
	}
	return s
}

func (b *buckets) forget(bucket string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.states, bucket)
}

// state is what is known of one bucket.
type state struct {
	dirs [2]string // objects and older versions

	mu      sync.Mutex
	limit   int64 // bytes; 0: none
	known   bool  // limit is
	used    int64 // bytes; at least what there is
	counted bool
	stale   bool      // there may be less
	next    time.Time // not counted again before
}

// know reads the limit once.
func (s *state) know(read func() (int64, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return nil
	}
	limit, err := read()
	s.limit, s.known = limit, err == nil
	return err
}

func (s *state) forgetLimit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = false
}

// take adds size, where the limit allows it.
func (s *state) take(size int64) (limit, used int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit == 0 {
		s.counted = false // nobody keeps books on it
		return 0, 0, true
	}
	if !s.counted {
		s.count()
	}
	if now := time.Now(); s.used+size > s.limit && (s.stale && now.After(s.next) || now.After(s.next.Add(countLife))) {
		s.count()
	}
	if s.used+size > s.limit {
		return s.limit, s.used, false
	}
	s.used += size
	return s.limit, s.used, true
}

func (s *state) add(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used += size
}

// freed says that there may be less than used.
func (s *state) freed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = true
}

// count adds up what lies in the folders. The caller holds mu.
func (s *state) count() {
	begun := time.Now()
	s.used, s.counted, s.stale = 0, true, false
	for _, dir := range s.dirs {
		_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return skipGone(err)
			}
			if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
				s.used += info.Size()
			}
			return nil
		})
	}
	s.next = begun.Add((countPause + 1) * time.Since(begun))
}

// skipGone goes on where something was removed during the walk.
func skipGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
