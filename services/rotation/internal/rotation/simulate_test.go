package rotation_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// login is one generation in the simulated server.
type login struct {
	rotation.Presence
	broken bool // it exists with another password: its login is refused
}

func (l login) works() bool { return l.Usable() && !l.broken }

// world is a server, a holder and one rotation, all simulated. Only what the journal would have kept survives a crash.
type world struct {
	t        *rapid.T
	now      time.Time
	r        rotation.Rotation
	old, new login
	meddled  bool // somebody else disabled a login: then both may be dead for a while
	verified bool
	proven   bool
	facts    []any
}

func newWorld(t *rapid.T, first bool) *world {
	start := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	w := &world{t: t, now: start, r: rotation.Rotation{
		ID: "id", Credential: credential.ForWorkspace("workspaces/abcdefghijklmnopqrst"), Old: 1, New: 2,
		QuietWindow: 30 * time.Second, Deadline: start.Add(time.Hour), CreatedAt: start, State: rotation.Planned,
	}}
	w.old.Presence = rotation.Presence{Exists: true, Enabled: true}
	if first {
		w.r.Old, w.r.New, w.old = 0, 1, login{}
	}
	return w
}

// advance lets the machine do one thing; the outcome of the dice is what happens to it on the way.
func (w *world) advance(dice string) {
	d := rotation.Step(w.r, nil, w.now)
	if d.Action == rotation.Observe {
		if dice == "unreachable" {
			w.fail(d, rotation.Failure{Reason: rotation.TargetFailing, Message: "away."})
			return
		}
		d = rotation.Step(w.r, &rotation.Observation{Old: w.old.Presence, New: w.new.Presence}, w.now)
	}
	switch {
	case d.Action == rotation.Wait:
		w.r = rotation.Parked(w.r, d, w.now)
	case d.Action.External() && dice == "unreachable":
		w.fail(d, rotation.Failure{Reason: rotation.TargetFailing, Message: "away."})
	case d.Action.External() && dice == "never":
		w.fail(d, rotation.Failure{Verdict: rotation.Never, Reason: "WORKSPACE_UNKNOWN", Message: "gone."})
	default:
		w.do(d, dice)
	}
}

func (w *world) do(d rotation.Decision, dice string) {
	w.guard(d)
	failure := w.effect(d)
	switch {
	case dice == "crash": // the effect is there, and nobody wrote it down
	case dice == "lost reply":
		w.fail(d, rotation.Failure{Reason: rotation.TargetFailing, Message: "no answer."})
	case failure != nil:
		w.fail(d, *failure)
	default:
		t := rotation.After(w.r, d, "", w.now)
		w.r, w.facts = t.Next, append(w.facts, t.Facts...)
		w.verified = w.verified || d.Action == rotation.Verify
		w.proven = w.proven || d.Action == rotation.ProveDead
	}
}

func (w *world) fail(d rotation.Decision, f rotation.Failure) {
	t := rotation.Failed(w.r, d, f, w.now, rapid.Float64Range(0, 0.99).Draw(w.t, "jitter"))
	w.r, w.facts = t.Next, append(w.facts, t.Facts...)
}

// guard holds what must be true before the target is touched.
func (w *world) guard(d rotation.Decision) {
	switch d.Action {
	case rotation.Disable:
		w.want(w.new.Usable(), "disables the old generation while the new one is not usable")
		w.want(w.verified, "disables the old generation though the new one was never verified")
		w.want(!w.r.AcknowledgedAt.IsZero(), "disables the old generation without an acknowledgement")
		silent := w.now.Sub(w.old.LastSeen) >= w.r.QuietWindow && w.old.Sessions == 0
		w.want(silent || d.Reason == rotation.EnabledBehindUs, "disables a generation that was in use a moment ago")
	case rotation.Destroy:
		w.want(w.proven && !w.old.Enabled && w.old.Sessions == 0, "destroys the old generation without proof")
		w.want(w.new.Usable(), "destroys the old generation while the new one is not usable")
	case rotation.Abort:
		w.want(w.r.Retired || w.r.Old == 0 || w.old.Usable(), "destroys the new generation while the old one is not usable")
		w.want(w.r.Retired || w.r.PromotedAt.IsZero(), "destroys a promoted generation")
	}
}

// effect does to the server what d says, and returns what the server refuses.
func (w *world) effect(d rotation.Decision) *rotation.Failure {
	switch d.Action {
	case rotation.Install:
		w.new = login{Presence: rotation.Presence{Exists: true, Enabled: true}}
	case rotation.Verify:
		return w.refusedUnlessNewWorks()
	case rotation.Disable:
		w.old.Enabled = false
	case rotation.Enable:
		w.old.Enabled = w.old.Exists
	case rotation.ProveDead:
		if w.old.Usable() || w.old.Sessions > 0 {
			return &rotation.Failure{Reason: rotation.OldAlive, Message: "alive."}
		}
		return w.refusedUnlessNewWorks()
	case rotation.Destroy:
		w.old = login{}
	case rotation.Abort:
		w.new = login{}
	}
	return nil
}

func (w *world) refusedUnlessNewWorks() *rotation.Failure {
	if w.new.works() {
		return nil
	}
	return &rotation.Failure{Verdict: rotation.Refused, Reason: rotation.LoginRefused, Message: "refused."}
}

// live lets holder, clock and others do something.
func (w *world) live(what string) {
	switch what {
	case "open":
		if w.old.Usable() && w.r.Old != 0 {
			w.old.Sessions++
		}
	case "close":
		w.old.Sessions = max(w.old.Sessions-1, 0)
	case "acknowledge":
		if w.r.Stage() == rotation.Announced && w.r.AcknowledgedAt.IsZero() {
			w.r.AcknowledgedAt = w.now
		}
	case "retire":
		w.r.Retired = true
	case "meddle with new":
		if w.new.Exists && w.r.Stage().Touchable() && w.old.Exists {
			w.new.Enabled, w.meddled = false, true
		}
	case "meddle with old":
		w.old.Enabled = w.old.Exists
	case "break new":
		w.new.broken = w.new.Exists
	case "mend":
		w.new.Enabled, w.new.broken = w.new.Exists, false
	}
	w.pass(rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, time.Second, 20 * time.Second, 10 * time.Minute}).Draw(w.t, "pass"))
}

// pass moves the clock; a session that is open is seen until now.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	if w.old.Sessions > 0 {
		w.old.LastSeen = w.now
	}
}

func (w *world) want(ok bool, what string) {
	w.t.Helper()
	if !ok {
		w.t.Fatalf("the machine %s; rotation %+v, old %+v, new %+v", what, w.r, w.old, w.new)
	}
}
