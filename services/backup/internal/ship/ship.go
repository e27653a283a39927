// Package ship writes the same bytes to every region at once. Memory is bounded: a region that is slow holds the source
// back up to a patience, a region that fails is left behind and the others go on.
package ship

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
)

const (
	queued   = 4                // bodies that wait for each region
	writers  = 2                // concurrent writes to each region
	patience = 60 * time.Second // how long one region may hold back the others
)

// Fleet is one lane for each region.
type Fleet struct{ lanes []*lane }

// Mode says what happens to a key that has an object already.
type Mode int

// The modes.
const (
	Once  Mode = iota // it is left alone: it is a repeat of this very write whose answer was lost, or the same content
	Cover             // it becomes an old version: what an earlier attempt wrote turned out to be damaged
)

// Start opens the lanes; Close ends them.
func Start(ctx context.Context, regions region.Set, mode Mode) *Fleet {
	f := &Fleet{}
	for _, r := range regions {
		l := &lane{region: r, mode: mode, queue: make(chan item, queued), failed: make(chan struct{})}
		for range writers {
			l.writers.Go(func() { l.drain(ctx) })
		}
		f.lanes = append(f.lanes, l)
	}
	return f
}

// Put hands body to every lane that still works; it may return before it is stored. Its error says that none works.
func (f *Fleet) Put(ctx context.Context, key string, body []byte) error {
	working := 0
	var errs []error
	for _, l := range f.lanes {
		if err := l.send(ctx, item{key: key, body: body}); err != nil {
			errs = append(errs, err)
			continue
		}
		working++
	}
	if working == 0 {
		return errors.Join(errs...)
	}
	return nil
}

// Close waits until everything handed over is stored, and says by region why it is not. It may be called again.
func (f *Fleet) Close() map[string]error {
	result := map[string]error{}
	for _, l := range f.lanes {
		l.close.Do(func() { close(l.queue) })
	}
	for _, l := range f.lanes {
		l.writers.Wait()
		result[l.region.Name] = l.cause()
	}
	return result
}

type item struct {
	key  string
	body []byte
}

// lane is the way into one region. The first error fails it for good: what follows is dropped, and shipped again later.
type lane struct {
	region  region.Region
	mode    Mode
	queue   chan item
	writers sync.WaitGroup
	close   sync.Once
	failed  chan struct{} // closed with err set

	mu  sync.Mutex
	err error
}

func (l *lane) send(ctx context.Context, it item) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-l.failed:
		return l.cause()
	default:
	}
	select {
	case l.queue <- it:
		return nil
	case <-l.failed:
		return l.cause()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return l.fail(fault.Unavailable("REGION_SLOW", "Region %s takes longer than %s for one write.", l.region.Name, patience).
			WithRemedy("Nothing to do: the copy is made when the region answers again."))
	}
}

func (l *lane) drain(ctx context.Context) {
	for it := range l.queue {
		if l.cause() != nil {
			continue
		}
		if err := write(ctx, l.region, it, l.mode); err != nil {
			_ = l.fail(err) // told by cause
		}
	}
}

func (l *lane) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
		close(l.failed)
	}
	return l.err
}

func (l *lane) cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// write stores one body. Whoever verifies compares the bytes, so that an existing object needs no look here.
func write(ctx context.Context, r region.Region, it item, mode Mode) error {
	if err := r.Ensure(ctx); err != nil {
		return err
	}
	_, err := r.Store.Put(ctx, r.Bucket, it.key, it.body, blob.PutOptions{IfNoneMatch: mode == Once})
	if err == nil || mode == Once && fault.CodeOf(err) == codes.AlreadyExists {
		return nil
	}
	return fmt.Errorf("write %s to region %s: %w", it.key, r.Name, err)
}
