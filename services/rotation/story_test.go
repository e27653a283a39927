package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
)

// await polls a rotation until it is in a state.
func (h *house) await(t *testing.T, name string, want rotationv1.Rotation_State) *rotationv1.Rotation {
	t.Helper()
	var last *rotationv1.Rotation
	client := h.rotations()
	servicetest.Eventually(t, func() error {
		reply, err := client.GetRotation(h.admin(t), &rotationv1.GetRotationRequest{Name: name})
		if err != nil {
			return err
		}
		last = reply.GetRotation()
		if last.GetState() != want {
			return fmt.Errorf("%s is %s: %s", name, last.GetState(), last.GetBlockedReason())
		}
		return nil
	})
	return last
}

func (h *house) rotate(t *testing.T, w celltest.Workspace) *rotationv1.Rotation {
	t.Helper()
	reply, err := h.rotations().CreateRotation(h.customer(t, w), &rotationv1.CreateRotationRequest{
		Parent: string(credential.ForWorkspace(w.Name)), Deadline: durationpb.New(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return reply.GetRotation()
}

// TestRotatesUnderLoad is the customer's story: it queries without a pause, reconnects as told, and no query fails.
func TestRotatesUnderLoad(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	facts := h.env.Listen("naksha.feed.rotation.v1.>")
	w := h.addWorkspace(t)
	name := string(credential.ForWorkspace(w.Name))
	client := newLoad(t, h.cell, h.cell.Role(w.Name, 1), w.Password)
	r := h.rotate(t, w)
	h.await(t, r.GetName(), rotationv1.Rotation_STATE_ANNOUNCED)
	got, err := h.credentials().RedeemCredential(h.customer(t, w), &rotationv1.RedeemCredentialRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetGeneration() != 2 || got.GetRotation() != r.GetName() || !strings.Contains(got.GetDatabaseUrl(), got.GetUser()) {
		t.Errorf("redeemed %d of %s as %s", got.GetGeneration(), got.GetRotation(), got.GetUser())
	}
	client.switchTo(t, got.GetDatabaseUrl())
	acknowledged := &rotationv1.AcknowledgeCredentialRequest{Name: name, Generation: 2}
	for range 2 { // a repeat changes nothing
		if _, err := h.credentials().AcknowledgeCredential(h.customer(t, w), acknowledged); err != nil {
			t.Fatal(err)
		}
	}
	done := h.await(t, r.GetName(), rotationv1.Rotation_STATE_COMPLETED)
	if queries, err := client.stop(); err != nil || queries < 50 {
		t.Errorf("%d queries, then %v", queries, err)
	}
	if h.cell.Works(t, h.cell.Role(w.Name, 1), w.Password) {
		t.Error("the old password opens the database")
	}
	if !h.cell.Works(t, got.GetUser(), generation.Password(got.GetPassword())) {
		t.Error("the new password does not")
	}
	wantEvidence(t, done)
	var subjects []string
	for len(subjects) < 4 {
		if m := <-facts; strings.HasSuffix(m.Subject, w.Ref) {
			subjects = append(subjects, strings.Split(m.Subject, ".")[4])
		}
	}
	if want := []string{"rotation_requested", "credential_announced", "credential_promoted", "credential_rotated"}; !slices.Equal(subjects, want) {
		t.Errorf("facts %v", subjects)
	}
}

func wantEvidence(t *testing.T, r *rotationv1.Rotation) {
	t.Helper()
	said := map[rotationv1.Rotation_State]string{
		rotationv1.Rotation_STATE_VERIFIED:    "login worked: session_user",
		rotationv1.Rotation_STATE_QUARANTINED: "may not log in",
		rotationv1.Rotation_STATE_PROVEN_DEAD: "refused: 28P01 (tried a password of ours, since tenant minted this generation)",
		rotationv1.Rotation_STATE_DESTROYED:   "dropped",
	}
	for _, step := range r.GetSteps() {
		if !strings.Contains(step.GetEvidence(), said[step.GetState()]) || step.GetTime() == nil {
			t.Errorf("evidence of %s: %q", step.GetState(), step.GetEvidence())
		}
	}
	if len(r.GetSteps()) != 9 || r.GetEndTime() == nil {
		t.Errorf("%d steps, ended %v", len(r.GetSteps()), r.GetEndTime())
	}
}

// TestSecondRotationProvesOurOwnPasswordDead rotates on from a generation that this service minted.
func TestSecondRotationProvesOurOwnPasswordDead(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.addWorkspace(t)
	first := h.finish(t, w, h.rotate(t, w))
	done := h.finish(t, w, h.rotate(t, w))
	if done.GetOldGeneration() != 2 || done.GetNewGeneration() != 3 {
		t.Errorf("rotated %d to %d", done.GetOldGeneration(), done.GetNewGeneration())
	}
	proof := done.GetSteps()[6].GetEvidence()
	if !strings.Contains(proof, "refused: 28000 (tried its own password)") || !strings.Contains(proof, "login worked") {
		t.Errorf("proof %q", proof)
	}
	reply, err := h.rotations().ListRotations(h.customer(t, w), &rotationv1.ListRotationsRequest{Parent: string(credential.ForWorkspace(w.Name)), PageSize: 1})
	if err != nil || len(reply.GetRotations()) != 1 || reply.GetRotations()[0].GetName() != done.GetName() {
		t.Fatalf("first page %v, %v", reply, err)
	}
	reply, err = h.rotations().ListRotations(h.customer(t, w), &rotationv1.ListRotationsRequest{
		Parent: string(credential.ForWorkspace(w.Name)), PageSize: 1, PageToken: reply.GetNextPageToken(),
	})
	if err != nil || len(reply.GetRotations()) != 1 || reply.GetRotations()[0].GetName() != first.GetName() || reply.GetNextPageToken() != "" {
		t.Errorf("second page %v, %v", reply, err)
	}
}

// finish plays the customer of a rotation to its end.
func (h *house) finish(t *testing.T, w celltest.Workspace, r *rotationv1.Rotation) *rotationv1.Rotation {
	t.Helper()
	h.await(t, r.GetName(), rotationv1.Rotation_STATE_ANNOUNCED)
	name := string(credential.ForWorkspace(w.Name))
	got, err := h.credentials().RedeemCredential(h.customer(t, w), &rotationv1.RedeemCredentialRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.credentials().AcknowledgeCredential(h.customer(t, w),
		&rotationv1.AcknowledgeCredentialRequest{Name: name, Generation: got.GetGeneration()})
	if err != nil {
		t.Fatal(err)
	}
	return h.await(t, r.GetName(), rotationv1.Rotation_STATE_COMPLETED)
}

// load is a client that queries without a pause, each query on the connection that it was last told to use.
type load struct {
	cancel  context.CancelFunc
	ended   chan error
	queries int
	next    chan *pgx.Conn
}

func newLoad(t *testing.T, cell *celltest.Cell, role string, password generation.Password) *load {
	t.Helper()
	conn, err := cell.Login(t.Context(), role, password)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel, ended: make(chan error, 1), next: make(chan *pgx.Conn)}
	go func() { l.ended <- l.run(ctx, conn) }()
	t.Cleanup(cancel)
	return l
}

func (l *load) run(ctx context.Context, conn *pgx.Conn) (err error) {
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	for ctx.Err() == nil {
		select {
		case next := <-l.next:
			if err := conn.Close(context.WithoutCancel(ctx)); err != nil {
				return err
			}
			conn = next
		default:
		}
		if _, err := conn.Exec(context.WithoutCancel(ctx), "SELECT count(*) FROM generate_series(1, 1000)"); err != nil {
			return fmt.Errorf("query %d: %w", l.queries, err)
		}
		l.queries++
	}
	return nil
}

// switchTo reconnects as a customer is told: the new connection first, then the old one is left.
func (l *load) switchTo(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case l.next <- conn:
	case err := <-l.ended:
		t.Fatal(err)
	}
}

func (l *load) stop() (int, error) {
	l.cancel()
	err := <-l.ended
	return l.queries, err
}
