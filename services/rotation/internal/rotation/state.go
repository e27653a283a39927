package rotation

// State is how far a rotation is; the names are those of the API.
type State string

// The states, in order.
const (
	Planned     State = "PLANNED"     // accepted
	Minted      State = "MINTED"      // a new secret exists, sealed
	Installed   State = "INSTALLED"   // the new generation exists at the target
	Verified    State = "VERIFIED"    // the new generation was tried at the target
	Announced   State = "ANNOUNCED"   // its holder may redeem it; waits for the acknowledgement
	Promoted    State = "PROMOTED"    // acknowledged; waits until the old one is unused
	Quarantined State = "QUARANTINED" // the old one is disabled, reversibly
	ProvenDead  State = "PROVEN_DEAD" // the old one was tried and refused
	Destroyed   State = "DESTROYED"   // the old one is gone
	Completed   State = "COMPLETED"   // done
	Blocked     State = "BLOCKED"     // waits for a person; goes on by itself when the cause is gone
	Aborted     State = "ABORTED"     // the new one was destroyed, the old one never touched
)

// Ended says whether nothing more will happen.
func (s State) Ended() bool { return s == Completed || s == Aborted }

// Touchable says whether the old generation may be disabled by now: its holder has acknowledged the new one.
func (s State) Touchable() bool {
	switch s {
	case Promoted, Quarantined, ProvenDead, Destroyed:
		return true
	}
	return false
}

// Action is what is to be done next.
type Action string

// The actions. Those of the second group act on the target: an intent is on record before each of them.
const (
	Wait     Action = "wait"     // nothing, until Decision.Until or until an input arrives
	Observe  Action = "observe"  // look at the target, and ask Step again with what was seen
	Mint     Action = "mint"     // make a secret and seal it
	Adopt    Action = "adopt"    // take the effect that is seen at the target for done: a reply was lost
	Announce Action = "announce" // let the holder redeem
	Promote  Action = "promote"  // make the new generation the active one
	Block    Action = "block"    // tell people that it cannot go on
	Unblock  Action = "unblock"  // the cause is gone
	Complete Action = "complete" // close the record

	Install   Action = "install"    // make the new generation at the target
	Verify    Action = "verify"     // log in as the new generation
	Disable   Action = "disable"    // take the old generation's login away
	Enable    Action = "enable"     // give it back
	ProveDead Action = "prove_dead" // try the old generation and want a refusal; try the new one and want it to work
	Destroy   Action = "destroy"    // drop the old generation
	Abort     Action = "abort"      // drop the new generation
)

// External says whether the action acts on the target.
func (a Action) External() bool {
	switch a {
	case Install, Verify, Disable, Enable, ProveDead, Destroy, Abort:
		return true
	}
	return false
}

// Reason is why: the journal's, the log's and the metric's key.
type Reason string

// The reasons of decisions.
const (
	Ended             Reason = "ENDED"
	RetryLater        Reason = "RETRY_LATER"
	Accepted          Reason = "ACCEPTED"
	LookFirst         Reason = "LOOK_FIRST"             // nothing is done at a target that was not looked at
	NotInstalled      Reason = "NOT_INSTALLED"          // the new generation is not at the target
	FoundInstalled    Reason = "FOUND_INSTALLED"        // it is there: the reply to an earlier install was lost
	NotVerified       Reason = "NOT_VERIFIED"           // nobody has logged in with it yet
	Works             Reason = "WORKS"                  // it was logged in with
	AwaitsHolder      Reason = "AWAITS_HOLDER"          // no acknowledgement yet
	Acknowledged      Reason = "ACKNOWLEDGED"           // the holder uses the new generation
	FirstGeneration   Reason = "FIRST_GENERATION"       // there is no old one
	AwaitsSilence     Reason = "AWAITS_SILENCE"         // no old session now, but not for long enough
	Silent            Reason = "SILENT"                 // no old session for the whole quiet window
	FoundDisabled     Reason = "FOUND_DISABLED"         // the reply to an earlier disable was lost
	NotProven         Reason = "NOT_PROVEN"             // nobody has tried the disabled generation yet
	EnabledBehindUs   Reason = "ENABLED_BEHIND_US"      // somebody gave the login back
	SessionSlippedIn  Reason = "SESSION_SLIPPED_IN"     // a session was opened just before the login was taken away
	Proven            Reason = "PROVEN"                 // the old generation was refused
	FoundDestroyed    Reason = "FOUND_DESTROYED"        // the reply to an earlier destroy was lost
	AllDone           Reason = "ALL_DONE"               // nothing is left to do
	CauseGone         Reason = "CAUSE_GONE"             // what it was blocked by is over
	CredentialRetired Reason = "CREDENTIAL_RETIRED"     // its owner was deleted
	LoginRefused      Reason = "LOGIN_REFUSED"          // the target refuses the new generation again and again
	AckOverdue        Reason = "ACK_OVERDUE"            // BLOCKED: no acknowledgement before the deadline
	OldInUse          Reason = "OLD_GENERATION_IN_USE"  // BLOCKED: old sessions are open after the deadline
	NewMissing        Reason = "NEW_GENERATION_MISSING" // BLOCKED: the new generation vanished or was disabled
	NewRefused        Reason = "NEW_GENERATION_REFUSED" // BLOCKED: the new generation's login is refused
	OldAlive          Reason = "OLD_GENERATION_ALIVE"   // the old generation's login still works
	TargetFailing     Reason = "TARGET_FAILING"         // BLOCKED: the target fails again and again
)
