package rotation_test

import (
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// TestSteps is the state machine as a table: what is done in which state, and why.
func TestSteps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	up, down, gone := rotation.Presence{Exists: true, Enabled: true}, rotation.Presence{Exists: true}, rotation.Presence{}
	used := rotation.Presence{Exists: true, Enabled: true, Sessions: 2}
	slipped := rotation.Presence{Exists: true, Sessions: 1}
	seen := func(older, newer rotation.Presence) *rotation.Observation {
		return &rotation.Observation{Old: older, New: newer}
	}
	in := func(s rotation.State, change ...func(*rotation.Rotation)) rotation.Rotation {
		r := rotation.Rotation{Old: 1, New: 2, QuietWindow: 30 * time.Second, Deadline: now.Add(time.Hour), State: s}
		if s.Touchable() {
			r.AcknowledgedAt, r.PromotedAt = now.Add(-time.Minute), now.Add(-time.Minute)
		}
		for _, c := range change {
			c(&r)
		}
		return r
	}
	acknowledged := func(r *rotation.Rotation) { r.AcknowledgedAt = now }
	late := func(r *rotation.Rotation) { r.Deadline = now.Add(-time.Second) }
	first := func(r *rotation.Rotation) { r.Old, r.New = 0, 1 }
	refused := func(r *rotation.Rotation) { r.Refusals = 1 }
	recent := func(r *rotation.Rotation) { r.OldSeenAt = now.Add(-10 * time.Second) }
	blockedBy := func(reason rotation.Reason) func(*rotation.Rotation) {
		return func(r *rotation.Rotation) {
			r.State, r.Resume, r.Blocked = rotation.Blocked, r.State, rotation.Problem{Reason: reason}
		}
	}
	for _, try := range []struct {
		name   string
		r      rotation.Rotation
		seen   *rotation.Observation
		action rotation.Action
		reason rotation.Reason
	}{
		{"mints first", in(rotation.Planned), nil, rotation.Mint, rotation.Accepted},
		{"looks before it installs", in(rotation.Minted), nil, rotation.Observe, rotation.LookFirst},
		{"installs", in(rotation.Minted), seen(up, gone), rotation.Install, rotation.NotInstalled},
		{"adopts an install whose reply was lost", in(rotation.Minted), seen(up, up), rotation.Adopt, rotation.FoundInstalled},
		{"installs again what was refused", in(rotation.Minted, refused), seen(up, up), rotation.Install, rotation.NotInstalled},
		{"verifies", in(rotation.Installed), nil, rotation.Verify, rotation.NotVerified},
		{"announces", in(rotation.Verified), nil, rotation.Announce, rotation.Works},
		{"waits for the holder", in(rotation.Announced), nil, rotation.Wait, rotation.AwaitsHolder},
		{"blocks when nobody acknowledges", in(rotation.Announced, late), nil, rotation.Block, rotation.AckOverdue},
		{"promotes", in(rotation.Announced, acknowledged), nil, rotation.Promote, rotation.Acknowledged},
		{"promotes a late acknowledgement", in(rotation.Announced, late, blockedBy(rotation.AckOverdue), acknowledged), nil, rotation.Promote, rotation.Acknowledged},
		{"completes a first generation", in(rotation.Promoted, first), nil, rotation.Complete, rotation.FirstGeneration},
		{"waits for old sessions", in(rotation.Promoted), seen(used, up), rotation.Wait, rotation.OldInUse},
		{"blocks on old sessions", in(rotation.Promoted, late), seen(used, up), rotation.Block, rotation.OldInUse},
		{"stays blocked without another word", in(rotation.Promoted, late, blockedBy(rotation.OldInUse)), seen(used, up), rotation.Wait, rotation.OldInUse},
		{"waits for silence", in(rotation.Promoted, recent), seen(up, up), rotation.Wait, rotation.AwaitsSilence},
		{"stays blocked until the silence has lasted", in(rotation.Promoted, recent, late, blockedBy(rotation.OldInUse)), seen(up, up), rotation.Wait, rotation.AwaitsSilence},
		{"disables after the silence", in(rotation.Promoted), seen(up, up), rotation.Disable, rotation.Silent},
		{"disables out of BLOCKED", in(rotation.Promoted, late, blockedBy(rotation.OldInUse)), seen(up, up), rotation.Disable, rotation.Silent},
		{"unblocks when the target is back", in(rotation.Promoted, recent, blockedBy(rotation.TargetFailing)), seen(up, up), rotation.Unblock, rotation.CauseGone},
		{"adopts a disable whose reply was lost", in(rotation.Promoted), seen(down, up), rotation.Adopt, rotation.FoundDisabled},
		{"keeps the old one when the new one is disabled", in(rotation.Promoted), seen(up, down), rotation.Block, rotation.NewMissing},
		{"tries a refused new one first", in(rotation.Promoted, refused), seen(up, up), rotation.Verify, rotation.NewRefused},
		{"proves death", in(rotation.Quarantined), seen(down, up), rotation.ProveDead, rotation.NotProven},
		{"gives a login back that was in use", in(rotation.Quarantined), seen(slipped, up), rotation.Enable, rotation.SessionSlippedIn},
		{"keeps a login that it gave back, though the reply was lost", in(rotation.Quarantined), seen(used, up), rotation.Enable, rotation.SessionSlippedIn},
		{"keeps a login that was used a moment ago", in(rotation.Quarantined, recent), seen(up, up), rotation.Enable, rotation.SessionSlippedIn},
		{"gives the old one back when the new one is gone", in(rotation.Quarantined), seen(down, gone), rotation.Enable, rotation.NewMissing},
		{"gives the old one back when the new one is refused", in(rotation.Quarantined, refused), seen(down, up), rotation.Enable, rotation.NewRefused},
		{"disables again what somebody enabled", in(rotation.Quarantined), seen(up, up), rotation.Disable, rotation.EnabledBehindUs},
		{"destroys what is proven dead", in(rotation.ProvenDead), seen(down, up), rotation.Destroy, rotation.Proven},
		{"never destroys the last one", in(rotation.ProvenDead), seen(down, gone), rotation.Enable, rotation.NewMissing},
		{"adopts a destroy whose reply was lost", in(rotation.ProvenDead), seen(gone, up), rotation.Adopt, rotation.FoundDestroyed},
		{"completes", in(rotation.Destroyed), nil, rotation.Complete, rotation.AllDone},
		{"aborts for a deleted owner", in(rotation.Promoted, func(r *rotation.Rotation) { r.Retired = true }), nil, rotation.Abort, rotation.CredentialRetired},
		{"puts off what failed", in(rotation.Planned, func(r *rotation.Rotation) { r.RetryAt = now.Add(time.Second) }), nil, rotation.Wait, rotation.RetryLater},
		{"rests when ended", in(rotation.Completed), nil, rotation.Wait, rotation.Ended},
	} {
		t.Run(try.name, func(t *testing.T) {
			t.Parallel()
			d := rotation.Step(try.r, try.seen, now)
			if d.Action != try.action || d.Reason != try.reason {
				t.Errorf("%s because %s, want %s because %s", d.Action, d.Reason, try.action, try.reason)
			}
			if d.Action == rotation.Block && d.Message == "" {
				t.Error("blocks without a word of remedy")
			}
		})
	}
}
