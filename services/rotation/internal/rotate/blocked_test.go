package rotate_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// until runs rounds and moves the clock by tick until the rotation is in a state.
func (s *subject) until(t *testing.T, want rotation.State) rotation.Rotation {
	t.Helper()
	e := s.engine(t, s.store, s.driver)
	for range 200 {
		if err := s.round(t, s.store, e); err != nil {
			t.Fatal(err)
		}
		if r := s.rotation(t); r.State == want {
			return r
		}
		s.clock.Advance(tick)
	}
	t.Fatalf("never %s: %+v", want, s.rotation(t))
	return rotation.Rotation{}
}

func (s *subject) say(t *testing.T, number int32) {
	t.Helper()
	if _, err := s.custody.Acknowledge(t.Context(), s.name, number, ""); err != nil {
		t.Fatal(err)
	}
}

func TestOldSessionBlocksAndItsEndFrees(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.until(t, rotation.Announced)
	s.say(t, 2) // while its session of generation 1 stays open
	s.clock.Advance(time.Hour)
	r := s.until(t, rotation.Blocked)
	if r.Blocked.Reason != rotation.OldInUse || r.Stage() != rotation.Promoted {
		t.Errorf("blocked by %+v in %s", r.Blocked, r.Stage())
	}
	if !s.alive(t, 1) || !s.alive(t, 2) {
		t.Error("a login does not work while BLOCKED")
	}
	if got := s.facts(t)["RotationBlocked"]; got != 1 {
		t.Errorf("told %d times", got)
	}
	s.closeOld(t)
	s.until(t, rotation.Completed)
	if s.alive(t, 1) {
		t.Error("the old login works after COMPLETED")
	}
	if got := s.facts(t)["RotationBlocked"]; got != 1 {
		t.Errorf("told %d times", got)
	}
}

func TestOldSessionIsWaitedForUntilTheDeadline(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.until(t, rotation.Announced)
	s.say(t, 2)
	s.until(t, rotation.Promoted)
	e := s.engine(t, s.store, s.driver)
	for range 30 { // six quiet windows
		s.clock.Advance(tick)
		if err := s.round(t, s.store, e); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.rotation(t); r.State != rotation.Promoted || r.OldSeenAt.IsZero() {
		t.Errorf("with an old session open: %+v", r)
	}
	if _, err := s.old.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("the open session was disturbed: %v", err)
	}
}

func TestLateAcknowledgementFrees(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.until(t, rotation.Announced)
	s.closeOld(t)
	s.clock.Advance(2 * time.Hour)
	if r := s.until(t, rotation.Blocked); r.Blocked.Reason != rotation.AckOverdue {
		t.Errorf("blocked by %+v", r.Blocked)
	}
	s.acknowledge(t)
	s.until(t, rotation.Completed)
}

func TestDisabledNewGenerationBlocksAndKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.until(t, rotation.Announced)
	s.acknowledge(t)
	s.cell.Run(t, "ALTER ROLE "+s.role(2)+" NOLOGIN")
	if r := s.until(t, rotation.Blocked); r.Blocked.Reason != rotation.NewMissing {
		t.Errorf("blocked by %+v", r.Blocked)
	}
	if !s.alive(t, 1) {
		t.Error("the old login was touched though the new one is disabled")
	}
	s.cell.Run(t, "ALTER ROLE "+s.role(2)+" LOGIN")
	s.until(t, rotation.Completed)
}

func TestChangedPasswordOfTheNewGenerationGivesTheOldOneBack(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.until(t, rotation.Announced)
	s.acknowledge(t)
	s.cell.Run(t, "ALTER ROLE "+s.role(2)+" PASSWORD 'somebody else'")
	if r := s.until(t, rotation.Blocked); r.Blocked.Reason != rotation.NewRefused {
		t.Errorf("blocked by %+v", r.Blocked)
	}
	if !s.alive(t, 1) {
		t.Error("the old login stayed disabled though the new one is refused")
	}
	secret, err := s.store.Secret(t.Context(), s.name, 2)
	if err != nil {
		t.Fatal(err)
	}
	s.cell.Run(t, "ALTER ROLE "+s.role(2)+" PASSWORD '"+secret.Verifier.Reveal()+"'")
	s.until(t, rotation.Completed)
	if s.alive(t, 1) || !s.alive(t, 2) {
		t.Error("the wrong login is alive")
	}
}

func TestAwayTargetBlocksAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.cell.Fail(status.Error(codes.Unavailable, "away"))
	r := s.until(t, rotation.Blocked)
	if r.Blocked.Reason != rotation.TargetFailing || !strings.Contains(r.Blocked.Message, "does not answer") {
		t.Errorf("blocked by %+v", r.Blocked)
	}
	s.cell.Fail(nil)
	s.until(t, rotation.Announced)
	s.acknowledge(t)
	s.until(t, rotation.Completed)
}

func TestMissingWorkspaceAborts(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.closeOld(t)
	s.cell.Run(t, "ALTER SCHEMA w_"+s.workspace.Ref+" RENAME TO gone")
	r := s.until(t, rotation.Aborted)
	if r.AbortReason.Reason != "WORKSPACE_UNKNOWN" {
		t.Errorf("aborted by %+v", r.AbortReason)
	}
	if !s.alive(t, 1) {
		t.Error("the old login was touched")
	}
	if got := s.facts(t)["RotationBlocked"]; got != 1 {
		t.Errorf("told %d times", got)
	}
	if _, _, err := s.custody.Create(t.Context(), custody.Order{Credential: s.name}); err != nil {
		t.Errorf("no further rotation after ABORTED: %v", err)
	}
}
