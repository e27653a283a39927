package rotatetest_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/sim"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

func TestMain(m *testing.M) {
	os.Exit(localtest.NoLeaks(m.Run()))
}

// storm is how many steps of a run go wrong; healing is how long it may take until everything is settled after that.
const (
	storm   = 1000
	healing = 10 * time.Minute
)

// rotations is the scenario: replicas, holders and an operator through a storm; then everything must end well.
func rotations(p parts) sim.Scenario {
	p.telemetry = obs.Discard()
	return func(w *sim.World) {
		h := newHouse(w, p)
		h.live()
		w.Storm(storm)
		h.calm.Store(true)
		h.mend()
		w.Heal(h.open, healing)
		for _, r := range h.record.Rotations {
			h.ended(r.Rotation)
		}
		for _, o := range h.holders {
			h.left(o)
		}
	}
}

func TestSimulation(t *testing.T) {
	t.Parallel()
	sim.Check(t, rotations(parts{}))
}

// TestStormReachesEveryReason holds the simulation to its coverage: a reason that no seed leads to is not tested by it.
func TestStormReachesEveryReason(t *testing.T) {
	t.Parallel()
	seen := map[rotation.Reason]int{}
	p := parts{telemetry: obs.Discard()}
	for seed := uint64(1); seed <= 200; seed++ {
		sim.Run(t, seed, func(w *sim.World) {
			h := newHouse(w, p)
			h.live()
			w.Storm(storm)
			for reason, times := range h.record.Reasons {
				seen[reason] += times
			}
		})
	}
	for _, reason := range []rotation.Reason{
		rotation.Accepted, rotation.LookFirst, rotation.NotInstalled, rotation.FoundInstalled, rotation.NotVerified,
		rotation.Works, rotation.Acknowledged, rotation.FirstGeneration, rotation.Silent, rotation.FoundDisabled,
		rotation.NotProven, rotation.EnabledBehindUs, rotation.SessionSlippedIn, rotation.Proven, rotation.FoundDestroyed,
		rotation.AllDone, rotation.CredentialRetired, rotation.LoginRefused, rotation.AckOverdue,
		rotation.OldInUse, rotation.NewMissing, rotation.NewRefused, rotation.TargetFailing,
	} {
		if seen[reason] == 0 {
			t.Errorf("%s never happens", reason)
		}
	}
	t.Log(seen)
}

func TestSimulationRepeats(t *testing.T) {
	t.Parallel()
	sim.Repeat(t, 20, rotations(parts{}))
}

// ended: each rotation has one good end, each step of it once, in order, told once.
func (h *house) ended(r rotation.Rotation) {
	facts := h.facts(r)
	switch {
	case r.Retired:
	case r.State == rotation.Completed && fmt.Sprint(facts) != "[requested announced promoted rotated]":
		h.Fail("%s told %v", r.Name(), facts)
	case r.State == rotation.Aborted && !slices.Equal(facts, []string{"requested"}):
		h.Fail("%s was aborted and told %v", r.Name(), facts)
	}
	if r.State == rotation.Completed && r.Old > 0 {
		h.proven(r)
	}
}

// proven: evidence for each step that is a promise.
func (h *house) proven(r rotation.Rotation) {
	for _, s := range []rotation.State{rotation.Verified, rotation.ProvenDead, rotation.Destroyed} {
		if !slices.ContainsFunc(h.record.Entries(r.ID), func(e rotation.Entry) bool { return e.State == s && e.Evidence != "" }) {
			h.Fail("%s is completed without evidence of %s", r.Name(), s)
		}
	}
}

// left: what is at the cell in the end is what is active, and nothing else.
func (h *house) left(o *holder) {
	active := h.record.Credentials[o.name].Active
	numbers := h.numbers(o.owner)
	switch {
	case o.gone:
	case active == 0 && len(numbers) > 0, active > 0 && !slices.Equal(numbers, []int32{active}):
		h.Fail("of %s, generation %d is active, and %v are at the cell", o.name, active, numbers)
	case active > 0 && !h.cell.Works(o.owner, active, h.passwordOf(o, active)):
		h.Fail("generation %d of %s does not work in the end", active, o.name)
	}
}

func (h *house) facts(r rotation.Rotation) (told []string) {
	for _, fact := range h.record.Facts {
		switch f := fact.(type) {
		case rotation.RotationRequested:
			told = appendIf(told, f.Rotation == r.Name(), "requested")
		case rotation.CredentialAnnounced:
			told = appendIf(told, f.Rotation == r.Name(), "announced")
		case rotation.CredentialPromoted:
			told = appendIf(told, f.Rotation == r.Name(), "promoted")
		case rotation.CredentialRotated:
			told = appendIf(told, f.Rotation == r.Name(), "rotated")
		}
	}
	return told
}

func appendIf(s []string, ok bool, v string) []string {
	if ok {
		s = append(s, v)
	}
	return s
}
