package rotate_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// TestResumesAfterCrashAtEveryBoundary kills a replica before and after each write and each act, lets another one resume,
// and wants the same end each time; at each boundary one of the two logins must work.
func TestResumesAfterCrashAtEveryBoundary(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	whole := &fate{}
	b.subject(t).survive(t, whole)
	if whole.passed < 40 {
		t.Fatalf("only %d boundaries: %v", whole.passed, whole.names)
	}
	whole.wantIntents(t)
	for at := 1; at <= whole.passed; at++ {
		t.Run(fmt.Sprintf("%02d %s", at, whole.names[at-1]), func(t *testing.T) {
			b.subject(t).survive(t, &fate{dieAt: at})
		})
	}
}

// wantIntents wants the journal's rule: a target is touched only after the intent to do so is durable.
func (f *fate) wantIntents(t *testing.T) {
	t.Helper()
	for act, intent := range map[string]string{
		"install": "install", "disable": "disable", "prove dead": "prove_dead", "destroy": "destroy",
	} {
		at := slices.Index(f.names, "before "+act)
		if at < 1 || f.names[at-1] != "after intent "+intent {
			t.Errorf("no intent before %s: %v", act, f.names)
		}
	}
}

// TestSurvivesLostReplies loses the answer to each write and each act, whose effect is there.
func TestSurvivesLostReplies(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	whole := &fate{}
	b.subject(t).survive(t, whole)
	for at := 1; at <= whole.passed; at++ {
		if !strings.HasPrefix(whole.names[at-1], "after") {
			continue
		}
		t.Run(fmt.Sprintf("%02d %s", at, whole.names[at-1]), func(t *testing.T) {
			b.subject(t).survive(t, &fate{loseAt: at})
		})
	}
}

// changes are the boundaries behind which the target may be another than before.
var changes = map[string]bool{"after install": true, "after disable": true, "after enable": true, "after destroy": true}

// survive runs a rotation to its end under a fate; whoever dies is replaced by an immortal.
func (s *subject) survive(t *testing.T, f *fate) {
	t.Helper()
	f.look = func(where string) {
		if changes[where] && !s.alive(t, 1) && !s.alive(t, 2) {
			t.Errorf("%s: both generations are dead", where)
		}
	}
	j, d := mortalJournal{s.store, f}, mortalDriver{s.driver, f}
	e := s.engine(t, j, d)
	for range 60 {
		err := s.round(t, j, e)
		if err != nil && !f.dead && f.loseAt == 0 {
			t.Fatal(err)
		}
		if f.dead {
			f = &fate{look: f.look}
			j, d = mortalJournal{s.store, f}, mortalDriver{s.driver, f}
			e = s.engine(t, j, d)
			s.clock.Advance(lease)
		}
		r := s.rotation(t)
		if r.State.Ended() {
			s.wantCompleted(t)
			return
		}
		if r.State == rotation.Announced && r.AcknowledgedAt.IsZero() {
			s.acknowledge(t)
		}
		s.clock.Advance(tick)
	}
	t.Fatalf("did not end: %+v", s.rotation(t))
}

// wantCompleted wants the one good end: new alive, old gone and refused, evidence for each step, each fact once.
func (s *subject) wantCompleted(t *testing.T) {
	t.Helper()
	r, steps, err := s.store.Rotation(t.Context(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != rotation.Completed {
		t.Fatalf("ended %s: %+v", r.State, steps)
	}
	if s.alive(t, 1) || !s.alive(t, 2) {
		t.Error("the old login works, or the new one does not")
	}
	found, err := s.driver.Observe(t.Context(), s.name)
	if err != nil || len(found) != 1 || !found[2].Usable() {
		t.Errorf("at the server: %v, %v", found, err)
	}
	var states []string
	for _, step := range steps {
		states = append(states, string(step.State))
		if step.Evidence == "" {
			t.Errorf("no evidence for %s", step.State)
		}
	}
	const want = "MINTED INSTALLED VERIFIED ANNOUNCED PROMOTED QUARANTINED PROVEN_DEAD DESTROYED COMPLETED"
	if got := strings.Join(states, " "); got != want {
		t.Errorf("steps %s", got)
	}
	once := map[string]int{"RotationRequested": 1, "CredentialAnnounced": 1, "CredentialPromoted": 1, "CredentialRotated": 1}
	if got := s.facts(t); !maps.Equal(got, once) {
		t.Errorf("facts %v", got)
	}
}
