package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
)

// quiet is how long the old login must not be seen before it is disabled; people leave it at 30 s.
const quiet = 2 * time.Second

// rotate replaces the shop's password while its clients query without pause and reconnect as they are told, and at the
// same time the password with which the platform's own backup service reads: it has to do by itself what customers do.
func rotate(ctx context.Context, w *world, f *finding) error {
	w.progress("rotating the password under load")
	reader, err := orderRotation(ctx, w.admin, w.shop.made.GetWorkspace().GetServer()+"/credentials/backup-reader")
	if err != nil {
		return fmt.Errorf("the backup service's password: %w", err)
	}
	if err := w.rotateOwn(ctx, f); err != nil {
		return err
	}
	w.progress("rotating the backup service's password")
	if _, err := awaitRotation(ctx, w.admin, reader, rotationv1.Rotation_STATE_COMPLETED); err != nil {
		return fmt.Errorf("the backup service's password: %w", err)
	}
	if err := w.stillBacksUp(ctx); err != nil {
		return fmt.Errorf("after the rotation of the backup service's password: %w", err)
	}
	f.say("backup's own password rotated, it reads on")
	return nil
}

// rotateOwn is the customer's rotation.
func (w *world) rotateOwn(ctx context.Context, f *finding) error {
	old := w.shop.sql
	app := startApplication(ctx, old)
	defer app.stop()
	r, replacement, err := w.rotateUnder(ctx, app)
	if err != nil {
		return err
	}
	app.stop()
	queries, failed, first := app.result()
	f.note("queries", queries)
	f.note("failed_queries", failed)
	f.note("connections", connections)
	if failed > 0 {
		return fmt.Errorf("%d of %d queries failed, the first: %w", failed, queries, first)
	}
	f.say("%d queries on %d connections, 0 failed", queries, connections)
	if err := w.oldIsDead(ctx, f, old, replacement); err != nil {
		return err
	}
	return noteSteps(f, r)
}

// rotateUnder is the holder's part of a rotation: order, redeem, reconnect, acknowledge; and then to wait for the proof.
func (w *world) rotateUnder(ctx context.Context, app *application) (*rotationv1.Rotation, outsider.SQL, error) {
	none := outsider.SQL{}
	credential := w.shop.name + "/credentials/database"
	name, err := orderRotation(ctx, w.shop.door, credential)
	if err != nil {
		return nil, none, err
	}
	if _, err := awaitRotation(ctx, w.shop.door, name, rotationv1.Rotation_STATE_ANNOUNCED); err != nil {
		return nil, none, err
	}
	client := rotationv1.NewCredentialServiceClient(w.shop.door.GRPC())
	redeemed, err := client.RedeemCredential(ctx, &rotationv1.RedeemCredentialRequest{Name: credential})
	if err != nil {
		return nil, none, fmt.Errorf("redeem: %w", err)
	}
	replacement, err := outsider.NewSQL(redeemed.GetDatabaseUrl())
	if err != nil {
		return nil, none, err
	}
	if err := app.move(ctx, replacement); err != nil {
		return nil, none, fmt.Errorf("reconnect with the new password: %w", err)
	}
	w.shop.sql = replacement
	_, err = client.AcknowledgeCredential(ctx, &rotationv1.AcknowledgeCredentialRequest{Name: credential, Generation: redeemed.GetGeneration()})
	if err != nil {
		return nil, none, fmt.Errorf("acknowledge: %w", err)
	}
	r, err := awaitRotation(ctx, w.shop.door, name, rotationv1.Rotation_STATE_COMPLETED)
	return r, replacement, err
}

// orderRotation starts a rotation and returns its name.
func orderRotation(ctx context.Context, door *outsider.Door, credential string) (string, error) {
	made := &rotationv1.CreateRotationResponse{}
	request := &rotationv1.CreateRotationRequest{
		Parent: credential, QuietWindow: durationpb.New(quiet), Deadline: durationpb.New(patience), RequestId: newID(),
	}
	if err := door.REST(ctx, "POST", "/v1/"+credential+"/rotations", request, made); err != nil {
		return "", fmt.Errorf("order a rotation: %w", err)
	}
	return made.GetRotation().GetName(), nil
}

func awaitRotation(ctx context.Context, door *outsider.Door, name string, state rotationv1.Rotation_State) (r *rotationv1.Rotation, err error) {
	ctx, cancel := bounded(ctx, patience, "the rotation's way to "+state.String())
	defer cancel()
	client := rotationv1.NewRotationServiceClient(door.GRPC())
	err = until(ctx, 50*time.Millisecond, func() (bool, error) {
		reply, err := client.GetRotation(ctx, &rotationv1.GetRotationRequest{Name: name})
		if err != nil {
			return false, fmt.Errorf("ask for the rotation: %w", err)
		}
		r = reply.GetRotation()
		switch r.GetState() {
		case rotationv1.Rotation_STATE_BLOCKED, rotationv1.Rotation_STATE_ABORTED:
			return false, fmt.Errorf("the rotation is %s: %s", r.GetState(), r.GetBlockedReason())
		}
		return r.GetState() >= state, nil
	})
	if err != nil && r != nil {
		err = fmt.Errorf("%w (it is %s)", err, r.GetState())
	}
	return r, err
}

// stillBacksUp takes a snapshot of the neighbour.
func (w *world) stillBacksUp(ctx context.Context) error {
	request := &backupv1.CreateSnapshotRequest{Parent: w.neighbour.name, RequestId: newID()}
	made, err := backupv1.NewSnapshotServiceClient(w.neighbour.door.GRPC()).CreateSnapshot(ctx, request)
	if err != nil {
		return fmt.Errorf("order a snapshot: %w", err)
	}
	_, err = w.neighbour.awaitSnapshot(ctx, made.GetSnapshot().GetName())
	return err
}

// oldIsDead sees that the old password is refused and the new one works.
func (w *world) oldIsDead(ctx context.Context, f *finding, old, replacement outsider.SQL) error {
	err := old.Try(ctx, "SELECT 1")
	answer := outsider.SQLState(err)
	if !slices.Contains([]string{"28000", "28P01"}, answer) {
		return fmt.Errorf("the old password is not refused: %w", errors.Join(err, fmt.Errorf("answer %q", answer)))
	}
	if err := replacement.Try(ctx, "SELECT count(*) FROM cities"); err != nil {
		return fmt.Errorf("the new password does not work: %w", err)
	}
	f.note("old_login", old.User())
	f.note("new_login", replacement.User())
	f.note("old_login_refused_with", answer)
	f.say("old password refused (%s)", answer)
	return nil
}

// noteSteps keeps the rotation's own journal, and wants a proof in it.
func noteSteps(f *finding, r *rotationv1.Rotation) error {
	var journal []string
	proven := false
	for _, s := range r.GetSteps() {
		journal = append(journal, fmt.Sprintf("%s %s: %s", clock(s.GetTime()), s.GetState(), s.GetEvidence()))
		proven = proven || s.GetState() == rotationv1.Rotation_STATE_PROVEN_DEAD && s.GetEvidence() != ""
	}
	f.note("journal", journal)
	if !proven {
		return fmt.Errorf("the rotation's journal of %d steps holds no proof of the old login's death", len(journal))
	}
	f.say("journal of %d steps with the proof", len(journal))
	return nil
}
