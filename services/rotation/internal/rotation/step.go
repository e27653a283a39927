package rotation

import (
	"fmt"
	"time"
)

// Presence is one generation as it was seen at the target.
type Presence struct {
	Exists   bool
	Enabled  bool      // it may log in
	Sessions int       // open now
	LastSeen time.Time // when the target last saw a session of it; zero = never, or it does not say
}

// Usable says whether holders can log in with it.
func (p Presence) Usable() bool { return p.Exists && p.Enabled }

// Observation is what was seen at the target, both generations at one moment.
type Observation struct{ Old, New Presence }

// Decision is what to do next and why.
type Decision struct {
	Action  Action
	Reason  Reason
	Until   time.Time // of Wait: when to look again
	Message string    // of Block: one sentence with the remedy
	Saw     bool      // a session of the old generation is open
}

// refusalLimit is how many refused logins say that the new generation can never work.
const refusalLimit = 3

// Step decides what r needs at now. seen is nil until somebody looked: Step then asks for Observe where it matters.
func Step(r Rotation, seen *Observation, now time.Time) Decision {
	switch {
	case r.State.Ended():
		return Decision{Action: Wait, Reason: Ended}
	case r.Retired:
		return Decision{Action: Abort, Reason: CredentialRetired}.orLater(r, now)
	case r.AbortReason.Reason != "" && !r.Stage().Touchable():
		return Decision{Action: Abort, Reason: r.AbortReason.Reason}.orLater(r, now)
	}
	d := stage(r, seen, now)
	if r.State == Blocked {
		d = whileBlocked(r, d)
	}
	return d.orLater(r, now)
}

// orLater puts off what failed a moment ago.
func (d Decision) orLater(r Rotation, now time.Time) Decision {
	if d.Action == Wait || !now.Before(r.RetryAt) {
		return d
	}
	return Decision{Action: Wait, Reason: RetryLater, Until: r.RetryAt}
}

// stage decides as if r were not blocked.
func stage(r Rotation, seen *Observation, now time.Time) Decision {
	switch r.Stage() {
	case Planned:
		return Decision{Action: Mint, Reason: Accepted}
	case Minted:
		return stepMinted(r, seen)
	case Installed:
		return Decision{Action: Verify, Reason: NotVerified}
	case Verified:
		return Decision{Action: Announce, Reason: Works}
	case Announced:
		return stepAnnounced(r, now)
	case Promoted:
		return stepPromoted(r, seen, now)
	case Quarantined:
		return stepQuarantined(r, seen, now)
	case ProvenDead:
		return stepProvenDead(r, seen, now)
	default: // Destroyed
		return Decision{Action: Complete, Reason: AllDone}
	}
}

// whileBlocked keeps a rotation blocked as long as the same cause holds, and says so once.
func whileBlocked(r Rotation, d Decision) Decision {
	same := d.Reason == r.Blocked.Reason
	switch {
	case d.Action == Block && same:
		return Decision{Action: Wait, Reason: d.Reason, Until: d.Until, Saw: d.Saw}
	case d.Action != Wait:
		return d
	case same, r.Blocked.Reason == OldInUse && d.Reason == AwaitsSilence:
		return d // the silence has begun; BLOCKED ends when it has lasted
	}
	return Decision{Action: Unblock, Reason: CauseGone}
}

func stepMinted(r Rotation, seen *Observation) Decision {
	switch {
	case seen == nil:
		return Decision{Action: Observe, Reason: LookFirst}
	case seen.New.Usable() && r.Refusals == 0:
		return Decision{Action: Adopt, Reason: FoundInstalled}
	}
	return Decision{Action: Install, Reason: NotInstalled}
}

func stepAnnounced(r Rotation, now time.Time) Decision {
	switch {
	case !r.AcknowledgedAt.IsZero():
		return Decision{Action: Promote, Reason: Acknowledged}
	case now.Before(r.Deadline):
		return Decision{Action: Wait, Reason: AwaitsHolder, Until: r.Deadline}
	}
	return Decision{Action: Block, Reason: AckOverdue, Until: now.Add(blockedLook), Message: fmt.Sprintf(
		"Nobody acknowledged generation %d of %s in time; redeem it, reconnect with it, and acknowledge it.", r.New, r.Credential)}
}

func stepPromoted(r Rotation, seen *Observation, now time.Time) Decision {
	switch {
	case r.Old == 0:
		return Decision{Action: Complete, Reason: FirstGeneration}
	case seen == nil:
		return Decision{Action: Observe, Reason: LookFirst}
	case !seen.New.Usable():
		return newMissing(r, now)
	case r.Refusals > 0:
		return Decision{Action: Verify, Reason: NewRefused}
	case !seen.Old.Usable():
		return Decision{Action: Adopt, Reason: FoundDisabled}
	case seen.Old.Sessions > 0:
		return oldInUse(r, seen, now)
	}
	quiet := r.quietSince(seen, now).Add(r.QuietWindow)
	if now.Before(quiet) {
		return Decision{Action: Wait, Reason: AwaitsSilence, Until: earlier(quiet, now.Add(r.pollEvery(now)))}
	}
	return Decision{Action: Disable, Reason: Silent}
}

func newMissing(r Rotation, now time.Time) Decision {
	return Decision{Action: Block, Reason: NewMissing, Until: now.Add(blockedLook), Message: fmt.Sprintf(
		"Generation %d of %s is gone or disabled at the target though it is the active one; the old one was left as it is. "+
			"Give generation %d its login back.", r.New, r.Credential, r.New)}
}

func oldInUse(r Rotation, seen *Observation, now time.Time) Decision {
	next := now.Add(r.pollEvery(now))
	if now.Before(r.silenceDeadline()) {
		return Decision{Action: Wait, Reason: OldInUse, Until: next, Saw: true}
	}
	return Decision{Action: Block, Reason: OldInUse, Until: next, Saw: true, Message: fmt.Sprintf(
		"%d sessions of generation %d of %s are still open; close them, and it goes on after %s of silence.",
		seen.Old.Sessions, r.Old, r.Credential, r.QuietWindow)}
}

func stepQuarantined(r Rotation, seen *Observation, now time.Time) Decision {
	switch {
	case seen == nil:
		return Decision{Action: Observe, Reason: LookFirst}
	case !seen.New.Usable() && seen.Old.Exists:
		return Decision{Action: Enable, Reason: NewMissing}
	case r.Refusals > 0 && seen.Old.Exists:
		return Decision{Action: Enable, Reason: NewRefused}
	}
	if d, alive := stepAlive(r, seen, now); alive {
		return d
	}
	return Decision{Action: ProveDead, Reason: NotProven}
}

func stepProvenDead(r Rotation, seen *Observation, now time.Time) Decision {
	switch {
	case seen == nil:
		return Decision{Action: Observe, Reason: LookFirst}
	case !seen.Old.Exists:
		return Decision{Action: Adopt, Reason: FoundDestroyed}
	case !seen.New.Usable():
		return Decision{Action: Enable, Reason: NewMissing}
	}
	if d, alive := stepAlive(r, seen, now); alive {
		return d
	}
	return Decision{Action: Destroy, Reason: Proven}
}

// stepAlive is what to do about an old login that was disabled and is in use, or may log in. It may have been us: when the
// reply to giving it back was lost. So it is disabled again only after another silence.
func stepAlive(r Rotation, seen *Observation, now time.Time) (d Decision, alive bool) {
	used := seen.Old.Sessions > 0
	switch {
	case used, seen.Old.Usable() && now.Before(r.quietSince(seen, now).Add(r.QuietWindow)):
		return Decision{Action: Enable, Reason: SessionSlippedIn, Saw: used}, true
	case seen.Old.Usable():
		return Decision{Action: Disable, Reason: EnabledBehindUs}, true
	}
	return Decision{}, false
}

const (
	blockedLook = time.Minute            // how often a blocked rotation is looked at that only an input can free
	pollLeast   = 100 * time.Millisecond // between two looks at old sessions, just after the promotion
	pollMost    = 5 * time.Second        // and long after it
)

// pollEvery grows with the time since the promotion: a sixteenth of it.
func (r Rotation) pollEvery(now time.Time) time.Duration {
	return min(max(now.Sub(r.PromotedAt)/16, pollLeast), pollMost)
}

// quietSince is when the silence began: with the promotion, or when an old session was last seen.
func (r Rotation) quietSince(seen *Observation, now time.Time) time.Time {
	since := r.PromotedAt
	for _, t := range []time.Time{r.OldSeenAt, seen.Old.LastSeen} {
		if t.After(since) {
			since = t
		}
	}
	return earlier(since, now) // the target's clock may be ahead
}

// silenceDeadline leaves a late acknowledgement one quiet window to close the old sessions in.
func (r Rotation) silenceDeadline() time.Time {
	if after := r.PromotedAt.Add(r.QuietWindow); after.After(r.Deadline) {
		return after
	}
	return r.Deadline
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
