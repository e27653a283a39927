package clock

import (
	"slices"
	"sync"
	"time"
)

// Fake is a Clock that stands still until it is moved. Its methods may be called from any goroutine.
type Fake struct {
	mu      sync.Mutex
	now     time.Time
	pending []*fakeTimer
	changed chan struct{} // closed and replaced whenever a timer is added or removed
}

// NewFake returns a Fake that shows t.
func NewFake(t time.Time) *Fake { return &Fake{now: t.UTC(), changed: make(chan struct{})} }

// Now is the time that the Fake shows.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// NewTimer fires when the Fake is moved to d from now or later.
func (f *Fake) NewTimer(d time.Duration) Timer {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &fakeTimer{clock: f, due: f.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		t.c <- f.now
		return t
	}
	f.pending = append(f.pending, t)
	f.signal()
	return t
}

// Advance moves the clock by d and fires what is due, earliest first.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	slices.SortStableFunc(f.pending, func(a, b *fakeTimer) int { return a.due.Compare(b.due) })
	for len(f.pending) > 0 && !f.pending[0].due.After(f.now) {
		f.pending[0].c <- f.now
		f.pending = f.pending[1:]
	}
	f.signal()
}

// Waiting returns how many timers are pending, and a channel that closes at the next change of that number: a test
// waits on it before it moves the clock.
func (f *Fake) Waiting() (int, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.pending), f.changed
}

func (f *Fake) signal() {
	close(f.changed)
	f.changed = make(chan struct{})
}

type fakeTimer struct {
	clock *Fake
	due   time.Time
	c     chan time.Time
}

func (t *fakeTimer) C() <-chan time.Time { return t.c }

func (t *fakeTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	at := slices.Index(t.clock.pending, t)
	if at < 0 {
		return false
	}
	t.clock.pending = slices.Delete(t.clock.pending, at, at+1)
	t.clock.signal()
	return true
}
