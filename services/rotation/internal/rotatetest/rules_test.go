package rotatetest_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotatetest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// rules are what must hold at every moment, whatever happens.
type rules struct {
	*house
	silent map[login]time.Time // when a look found a login unused for a whole quiet window, last
}

type login struct {
	owner  string
	number int32
}

func newRules(h *house) *rules {
	r := &rules{house: h, silent: map[login]time.Time{}}
	h.Always(r.aLoginWorks)
	h.record.OnCommit = r.committed
	h.cell.Before = r.ordered
	return r
}

// aLoginWorks: at every moment, what a holder uses who follows the protocol lets it in.
func (r *rules) aLoginWorks() error {
	for _, o := range r.holders {
		if o.current > 0 && !o.gone && !r.meddling && !r.cell.Works(o.owner, o.current, o.password) {
			return fmt.Errorf("generation %d of %s does not work, though its holder counts on it", o.current, o.name)
		}
	}
	return nil
}

// committed looks at each change of the record.
func (r *rules) committed(before, after rotatetest.Tables) {
	for _, n := range after.Names() {
		r.oneActive(n, after)
	}
	told := after.Facts[len(before.Facts):]
	for i, now := range after.Rotations {
		was := rotatetest.Row{}
		if i < len(before.Rotations) {
			was = before.Rotations[i]
		}
		r.changed(was, now, told)
	}
}

// oneActive: never two current generations, and the one that is has been made.
func (r *rules) oneActive(n credential.Name, t rotatetest.Tables) {
	active := 0
	for number, g := range t.Generations[n] {
		if g.State != generation.Active {
			continue
		}
		if active++; number != t.Credentials[n].Active {
			r.Fail("generation %d of %s is active, and the credential says %d", number, n, t.Credentials[n].Active)
		}
	}
	if active > 1 {
		r.Fail("%d generations of %s are active", active, n)
	}
}

func (r *rules) changed(was, now rotatetest.Row, told []any) {
	blocked := now.State == rotation.Blocked && (was.State != rotation.Blocked || was.Blocked.Reason != now.Blocked.Reason)
	gaveUp := now.State == rotation.Aborted && was.State != rotation.Aborted && !now.Retired
	heard := slices.ContainsFunc(told, func(fact any) bool {
		f, ok := fact.(rotation.RotationBlocked)
		return ok && f.Rotation == now.Name() && f.Message != ""
	})
	switch {
	case heard != (blocked || gaveUp):
		r.Fail("%s went from %s to %s, incident %t", now.Name(), was.State, now.State, heard)
	case was.State.Ended() && now.Rotation != was.Rotation && now.EndedAt != was.EndedAt:
		r.Fail("%s went from %s to %s", now.Name(), was.State, now.State)
	case now.Epoch < was.Epoch:
		r.Fail("%s went back to epoch %d", now.Name(), now.Epoch)
	case !now.PromotedAt.IsZero() && now.AcknowledgedAt.IsZero():
		r.Fail("%s is promoted without an acknowledgement", now.Name())
	}
}

// ordered looks at each order before the cell carries it out.
func (r *rules) ordered(o rotatetest.Order) {
	if o.Method == "ObserveLogins" {
		r.looked(o.Owner)
		return
	}
	made, found := r.of(o)
	if !found {
		r.Fail("%s of generation %d of %s belongs to no rotation", o.Method, o.Generation, o.Owner)
	}
	r.intended(o, made)
	switch {
	case made.Retired:
	case o.Generation == made.Old && o.Method == "DisableLogin" && r.enabled(o):
		r.disabled(o, made)
	case o.Generation == made.Old && o.Method == "DropLogin":
		r.dropped(o, made)
	case o.Generation == made.New && o.Method == "DropLogin" && made.AbortReason.Reason == "":
		r.Fail("drops generation %d of %s, which is to stay", o.Generation, o.Owner)
	}
}

func (r *rules) enabled(o rotatetest.Order) bool {
	l := r.cell.Owners[o.Owner][o.Generation]
	return l != nil && l.Enabled
}

// of is the rotation that an order is for: the newest one that has to do with its generation in this way.
func (r *rules) of(o rotatetest.Order) (rotation.Rotation, bool) {
	for _, row := range slices.Backward(r.record.Rotations) {
		if row.Credential.Owner() == o.Owner && (row.New == o.Generation || row.Old == o.Generation && o.Method != "InstallLogin") {
			return row.Rotation, true
		}
	}
	return rotation.Rotation{}, false
}

// intended: what touches the target is on record first.
func (r *rules) intended(o rotatetest.Order, of rotation.Rotation) {
	actions := map[string][]rotation.Action{
		"InstallLogin": {rotation.Install}, "EnableLogin": {rotation.Enable}, "DropLogin": {rotation.Destroy, rotation.Abort},
		"DisableLogin": {rotation.Disable, rotation.Destroy, rotation.Abort},
	}[o.Method]
	if !slices.ContainsFunc(r.record.Intents(of.ID), func(a rotation.Action) bool { return slices.Contains(actions, a) }) {
		r.Fail("%s of generation %d of %s is nowhere on record", o.Method, o.Generation, o.Owner)
	}
}

// looked notes which logins were seen unused for long enough. Two wrong clocks may shorten a quiet window.
func (r *rules) looked(owner string) {
	for number, l := range r.cell.Owners[owner] {
		if l.Sessions == 0 && r.Now().Sub(l.LastUsed) >= quiet-2*r.Skew {
			r.silent[login{owner, number}] = r.Now()
		}
	}
}

// disabled: never before the acknowledgement and the silence.
func (r *rules) disabled(o rotatetest.Order, of rotation.Rotation) {
	if of.AcknowledgedAt.IsZero() {
		r.Fail("disables generation %d of %s before the acknowledgement", o.Generation, o.Owner)
	}
	since := of.PromotedAt
	if of.OldSeenAt.After(since) {
		since = of.OldSeenAt
	}
	if !r.silent[login{o.Owner, o.Generation}].After(since.Add(-2 * r.Skew)) {
		r.Fail("disables generation %d of %s, which was not seen unused", o.Generation, o.Owner)
	}
}

// dropped: never before it is proven dead.
func (r *rules) dropped(o rotatetest.Order, of rotation.Rotation) {
	proven := slices.ContainsFunc(r.record.Entries(of.ID), func(e rotation.Entry) bool { return e.State == rotation.ProvenDead })
	if !proven {
		r.Fail("drops generation %d of %s without proof", o.Generation, o.Owner)
	}
}
