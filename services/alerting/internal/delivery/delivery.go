// Package delivery is one message to one target by one channel: its states, when it is tried again, and when it is given
// up. It knows no channel.
package delivery

import "time"

// Kind is what a message says.
type Kind string

// The kinds.
const (
	Page         Kind = "page"
	Acknowledged Kind = "acknowledged"
	Resolved     Kind = "resolved"
)

// State is where a delivery stands.
type State string

// The states.
const (
	Pending  State = "pending"  // waits for its turn or its next try
	Accepted State = "accepted" // the provider took it
	Failed   State = "failed"   // given up
	Canceled State = "canceled" // not needed any more
)

// Bounds of one try and of all.
const (
	Lease   = 30 * time.Second // a claimed delivery is free again after it: whoever held it is dead
	Timeout = 5 * time.Second  // of one call
	Life    = 24 * time.Hour   // default: tries end so long after the delivery was made
)

// Delivery is one row of what has to be told.
type Delivery struct {
	ID        string // the same on every try: Message-ID, webhook-id
	Incident  string
	Cycle     int
	Level     int // 1 = first; 0 = a notice
	Target    string
	Channel   string
	Kind      Kind
	State     State
	Attempts  int   // begun, whatever came of them
	Fence     int64 // grows with each claim: an outcome under an old fence changes nothing
	CreatedAt time.Time
	DueAt     time.Time // when the level was due; CreatedAt - DueAt is its lateness
	NotBefore time.Time
	Deadline  time.Time
	Accepted  time.Time // zero before
	Error     string    // of the last try
}

// Backoff is the wait after so many tries, before the next: none, 5, 15, 45, 120 s, then 300 s each.
func Backoff(tries int) time.Duration {
	waits := []time.Duration{0, 5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute}
	if tries < 0 {
		return 0
	}
	if tries >= len(waits) {
		return 5 * time.Minute
	}
	return waits[tries]
}

// Outcome is what came of a try.
type Outcome string

// The outcomes; they are the metric's label as well.
const (
	Taken     Outcome = "accepted"
	Temporary Outcome = "temporary_failure"
	Permanent Outcome = "permanent_failure"
	Exhausted Outcome = "exhausted" // a temporary failure, and no time left
	Unneeded  Outcome = "canceled"  // the last look before the call found it superfluous
)

// Verdict is what a try's outcome makes of a delivery.
type Verdict struct {
	State     State
	Outcome   Outcome
	NotBefore time.Time // of a delivery that stays pending
}

// Judge decides after a try that ended now with outcome; retryAfter is the provider's wish, 0 = none.
func (d Delivery) Judge(outcome Outcome, retryAfter time.Duration, now time.Time) Verdict {
	switch outcome {
	case Taken:
		return Verdict{State: Accepted, Outcome: Taken}
	case Permanent:
		return Verdict{State: Failed, Outcome: Permanent}
	case Unneeded:
		return Verdict{State: Canceled, Outcome: Unneeded}
	}
	next := now.Add(max(Backoff(d.Attempts), min(retryAfter, 5*time.Minute)))
	if next.After(d.Deadline) {
		return Verdict{State: Failed, Outcome: Exhausted}
	}
	return Verdict{State: Pending, Outcome: Temporary, NotBefore: next}
}
