package rotation

import (
	"fmt"
	"time"
)

// Verdict says what an action's failure means.
type Verdict int

// The verdicts.
const (
	Transient Verdict = iota // the outcome is unknown, or the target is away: try again
	Refused                  // the new generation's login was refused
	Never                    // trying again cannot help
)

// Failure is why an action did not lead on.
type Failure struct {
	Verdict Verdict
	Reason  Reason // UPPER_SNAKE, e.g. the target's own reason
	Message string // one sentence for people; no secret
}

// Error makes a Failure an error.
func (f Failure) Error() string { return string(f.Reason) + ": " + f.Message }

const (
	retryFirst   = 200 * time.Millisecond
	retryMost    = 30 * time.Second
	blockedAfter = 8 // failures in a row: about 50 s
)

// Failed is what follows from d having failed at now. jitter in [0, 1) spreads the retries of many rotations.
func Failed(r Rotation, d Decision, f Failure, now time.Time, jitter float64) Transition {
	n := r
	n.Failures++
	n.RetryAt = now.Add(retryAfter(n.Failures, jitter))
	n.DueAt = n.RetryAt
	if f.Verdict == Refused {
		n.Refusals++
		if d.Action == Verify && r.Stage() == Installed {
			return refused(n, f, now)
		}
	}
	switch {
	case f.Verdict == Never && !n.Retired && beforeAnnounced(r.Stage()):
		return giveUp(n, Problem{Reason: f.Reason, Message: f.Message}, now)
	case f.Verdict == Refused && r.Stage() == Promoted:
		return n.blockOnce(NewRefused, f, now)
	case f.Verdict == Never, n.Failures >= blockedAfter:
		return n.blockOnce(f.Reason, f, now)
	}
	return Transition{Next: n}
}

// refused installs again, since an adopted login may have another password, and gives up after a few times.
func refused(n Rotation, f Failure, now time.Time) Transition {
	if n.Refusals >= refusalLimit {
		return giveUp(n, Problem{Reason: LoginRefused, Message: f.Message}, now)
	}
	n.State, n.Resume, n.Blocked = Minted, "", Problem{}
	return Transition{Next: n, Entry: Entry{State: Minted, At: now, Evidence: "to be installed again: " + f.Message}}
}

// giveUp marks the new generation for destruction. The old one was never touched.
func giveUp(n Rotation, p Problem, now time.Time) Transition {
	p.Message = fmt.Sprintf("The rotation of %s was given up, generation %d stays as it is: %s "+
		"Remove the cause and create a rotation again.", n.Credential, n.Old, p.Message)
	n.AbortReason, n.Failures, n.RetryAt, n.DueAt = p, 0, time.Time{}, now
	return Transition{Next: n}
}

func (r Rotation) blockOnce(reason Reason, f Failure, now time.Time) Transition {
	if r.State == Blocked && r.Blocked.Reason == reason {
		return Transition{Next: r}
	}
	message := fmt.Sprintf("The rotation of %s cannot go on: %s It is tried again by itself.", r.Credential, f.Message)
	return block(r, Decision{Reason: reason, Message: message, Until: r.RetryAt}, now)
}

// Parked is r after Step said Wait: looked at again at d.Until, or when an input arrives.
func Parked(r Rotation, d Decision, now time.Time) Rotation {
	r.DueAt = d.Until
	if d.Saw {
		r.OldSeenAt = now
	}
	if d.Reason != RetryLater {
		r.Failures, r.RetryAt = 0, time.Time{}
	}
	return r
}

func beforeAnnounced(s State) bool {
	return s == Planned || s == Minted || s == Installed || s == Verified
}

// retryAfter doubles from retryFirst to retryMost, each half fixed and half by chance.
func retryAfter(failures int, jitter float64) time.Duration {
	d := min(retryFirst<<min(failures-1, 16), retryMost)
	return d/2 + time.Duration(jitter*float64(d)/2)
}
