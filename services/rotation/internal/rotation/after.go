package rotation

import (
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
)

// Transition is what follows from something that was done: it is written in one transaction.
type Transition struct {
	Next        Rotation
	Entry       Entry // for the journal; zero when nothing is to be told
	Generations []generation.Change
	Activate    bool  // the new generation becomes the credential's active one
	Facts       []any // RotationRequested … RotationBlocked
}

// After is what follows from d having been done at now. evidence says what was measured.
func After(r Rotation, d Decision, evidence string, now time.Time) Transition {
	t := Transition{Next: r}
	n := &t.Next
	n.Failures, n.RetryAt, n.DueAt = 0, time.Time{}, now
	if d.Saw {
		n.OldSeenAt = now
	}
	switch d.Action {
	case Block:
		return block(r, d, now)
	case Unblock:
		n.State = r.Resume
	case Disable:
		if r.Stage() == Quarantined { // it was taken away before: perhaps it is given back as often as that
			return Failed(r, d, Failure{Reason: OldAlive, Message: fmt.Sprintf(
				"The login of generation %d was taken away and may log in again.", r.Old)}, now, 1)
		}
		fallthrough
	default:
		n.State = successor(r, d.Action)
		t.consequences(r, d.Action, now)
	}
	n.Resume, n.Blocked = "", Problem{}
	t.Entry = Entry{State: n.State, At: now, Evidence: evidenceOf(d, evidence)}
	return t
}

// successor is the state that an action leads to.
func successor(r Rotation, a Action) State {
	switch a {
	case Mint:
		return Minted
	case Install:
		return Installed
	case Verify:
		if r.Stage() == Promoted {
			return Promoted
		}
		return Verified
	case Announce:
		return Announced
	case Promote, Enable:
		return Promoted
	case Disable:
		return Quarantined
	case ProveDead:
		return ProvenDead
	case Destroy:
		return Destroyed
	case Abort:
		return Aborted
	case Adopt:
		return adopted(r.Stage())
	default: // Complete
		return Completed
	}
}

// adopted is where a lost reply would have led to.
func adopted(from State) State {
	switch from {
	case Minted:
		return Installed
	case Promoted:
		return Quarantined
	default: // ProvenDead
		return Destroyed
	}
}

// consequences are the generations, the active one, and the facts that change with an action.
func (t *Transition) consequences(r Rotation, a Action, now time.Time) {
	n := &t.Next
	switch n.State {
	case Minted:
		t.set(r.New, generation.Minted)
	case Verified:
		n.Refusals = 0
	case Announced:
		t.set(r.New, generation.Announced)
		t.tell(CredentialAnnounced{Credential: r.Credential, Rotation: r.Name(), Generation: r.New})
	case Promoted:
		t.promoted(r, a, now)
	case Quarantined:
		t.set(r.Old, generation.Quarantined)
	case Destroyed:
		t.erase(r.Old)
	case Completed:
		n.EndedAt = now
		t.tell(CredentialRotated{Credential: r.Credential, Rotation: r.Name(), Generation: r.New, At: now})
	case Aborted:
		n.EndedAt = now
		t.erase(r.New)
		if !r.Retired {
			t.tell(blockedFact(r, r.AbortReason))
		}
	}
}

// promoted tells the three ways into PROMOTED apart: the acknowledgement, a login given back, a login that works again.
func (t *Transition) promoted(r Rotation, a Action, now time.Time) {
	switch a {
	case Promote:
		t.Next.PromotedAt, t.Activate = now, true
		t.set(r.Old, generation.Retiring)
		t.set(r.New, generation.Active)
		t.tell(CredentialPromoted{Credential: r.Credential, Rotation: r.Name(), Generation: r.New})
	case Enable:
		t.Next.OldSeenAt = now // the silence begins anew
		t.set(r.Old, generation.Retiring)
	case Verify:
		t.Next.Refusals = 0
	}
}

func (t *Transition) set(number int32, s generation.State) {
	if number > 0 {
		t.Generations = append(t.Generations, generation.Change{Generation: number, State: s})
	}
}

func (t *Transition) erase(number int32) {
	if number > 0 {
		t.Generations = append(t.Generations, generation.Change{Generation: number, State: generation.Destroyed, Erase: true})
	}
}

func (t *Transition) tell(fact any) { t.Facts = append(t.Facts, fact) }

// block makes r BLOCKED and tells people; where it goes on stays known.
func block(r Rotation, d Decision, now time.Time) Transition {
	n := r
	n.Resume, n.State, n.Blocked = r.Stage(), Blocked, Problem{Reason: d.Reason, Message: d.Message}
	n.DueAt = d.Until
	if d.Saw {
		n.OldSeenAt = now
	}
	return Transition{
		Next: n, Entry: Entry{State: Blocked, At: now, Evidence: d.Message}, Facts: []any{blockedFact(r, n.Blocked)},
	}
}

func blockedFact(r Rotation, p Problem) RotationBlocked {
	return RotationBlocked{Credential: r.Credential, Rotation: r.Name(), Reason: p.Reason, Message: p.Message}
}

// said is the evidence of steps that touch no target, by reason.
func said(r Reason) string {
	switch r {
	case Accepted:
		return "a secret was made and sealed"
	case Works:
		return "its holder may redeem it"
	case Acknowledged:
		return "its holder said that it uses the new generation"
	case FoundInstalled:
		return "adopted: the new generation was found at the target, enabled"
	case FoundDisabled:
		return "adopted: the old generation was found disabled or gone"
	case FoundDestroyed:
		return "adopted: the old generation was found gone"
	case FirstGeneration:
		return "there is no older generation"
	case AllDone:
		return "the old generation is dead and gone, the new one works"
	case CauseGone:
		return "what it was blocked by is over"
	}
	return string(r)
}

// evidenceOf is what the journal says of a step: what was measured, else why it was taken.
func evidenceOf(d Decision, evidence string) string {
	if evidence != "" {
		return evidence
	}
	return said(d.Reason)
}
