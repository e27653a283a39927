// Package spike counts authentication attempts over a moving window and says when the refused ones are too many. The
// rule is data; counting is all that happens on the path of a call.
package spike

import (
	"sync"
	"time"
)

// Rule says when refusals are a spike.
type Rule struct {
	Window    time.Duration // that is looked at; at most 10 min
	PerSecond float64       // refusals per second that are usual at most
	Share     float64       // part of all attempts that is usual at most, 0 to 1
	Quiet     time.Duration // at least between two announcements
}

// Default is one refusal a second and a fifth of all attempts, over a minute, said once in ten minutes.
func Default() Rule {
	return Rule{Window: time.Minute, PerSecond: 1, Share: 0.2, Quiet: 10 * time.Minute}
}

// Count is what happened in a window.
type Count struct {
	Start, End time.Time // UTC
	Attempts   int64
	Failures   int64
}

// Spiked decides whether c breaks the rule.
func (r Rule) Spiked(c Count) bool {
	seconds := c.End.Sub(c.Start).Seconds()
	if seconds <= 0 || c.Attempts == 0 {
		return false
	}
	return float64(c.Failures) > r.PerSecond*seconds && float64(c.Failures) > r.Share*float64(c.Attempts)
}

// slots bounds the window: one slot is a second.
const slots = 600

// Window counts attempts by the second. It is safe for concurrent use.
type Window struct {
	mu   sync.Mutex
	ring [slots]slot
}

type slot struct {
	second             int64 // since the epoch
	attempts, failures int64
}

// Add counts one attempt.
func (w *Window) Add(now time.Time, failed bool) {
	second := now.Unix()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.ring[second%slots]
	if s.second != second {
		*s = slot{second: second}
	}
	s.attempts++
	if failed {
		s.failures++
	}
}

// Count sums up the window that ends at now.
func (w *Window) Count(now time.Time, length time.Duration) Count {
	c := Count{Start: now.Add(-length), End: now}
	from, to := c.Start.Unix(), now.Unix()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.ring {
		if s.second > from && s.second <= to {
			c.Attempts += s.attempts
			c.Failures += s.failures
		}
	}
	return c
}
