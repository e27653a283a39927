package rotation_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
)

// TestRefusesBadInput wants a stable reason, a remedy, and never Internal.
func TestRefusesBadInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.addWorkspace(t)
	name := string(credential.ForWorkspace(w.Name))
	unknown := "workspaces/" + strings.Repeat("z", 20) + "/credentials/database"
	ctx, c, r := h.admin(t), h.credentials(), h.rotations()
	create := func(q *rotationv1.CreateRotationRequest) error { _, err := r.CreateRotation(ctx, q); return err }
	list := func(q *rotationv1.ListRotationsRequest) error { _, err := r.ListRotations(ctx, q); return err }
	get := func(name string) error {
		_, err := r.GetRotation(ctx, &rotationv1.GetRotationRequest{Name: name})
		return err
	}
	redeem := func(name string) error {
		_, err := c.RedeemCredential(ctx, &rotationv1.RedeemCredentialRequest{Name: name})
		return err
	}
	acknowledge := func(name string, number int32) error {
		_, err := c.AcknowledgeCredential(ctx, &rotationv1.AcknowledgeCredentialRequest{Name: name, Generation: number})
		return err
	}
	for _, try := range []struct {
		what   string
		err    error
		code   codes.Code
		reason string
	}{
		{"nothing redeemable", redeem(name), codes.FailedPrecondition, "NOTHING_TO_REDEEM"},
		{"unknown workspace", redeem(unknown), codes.NotFound, "CREDENTIAL_UNKNOWN"},
		{"unknown kind", redeem(w.Name + "/credentials/s3"), codes.NotFound, "CREDENTIAL_UNKNOWN"},
		{"empty name", redeem(""), codes.InvalidArgument, "FIELD_INVALID"},
		{"SQL in the name", redeem("workspaces/'; DROP TABLE rotation; --/credentials/database"), codes.InvalidArgument, "FIELD_INVALID"},
		{"huge name", redeem(strings.Repeat("workspaces/", 10000)), codes.InvalidArgument, "FIELD_INVALID"},
		{"Unicode in the name", redeem("workspaces/" + strings.Repeat("ａ", 20) + "/credentials/database"), codes.InvalidArgument, "FIELD_INVALID"},
		{"not announced", acknowledge(name, 2), codes.FailedPrecondition, "GENERATION_NOT_ANNOUNCED"},
		{"generation zero", acknowledge(name, 0), codes.InvalidArgument, "FIELD_INVALID"},
		{"huge generation", acknowledge(name, 2147483647), codes.InvalidArgument, "FIELD_INVALID"},
		{"unknown parent", create(&rotationv1.CreateRotationRequest{Parent: unknown}), codes.NotFound, "CREDENTIAL_UNKNOWN"},
		{"long window", create(&rotationv1.CreateRotationRequest{Parent: name, QuietWindow: durationpb.New(25 * time.Hour)}), codes.InvalidArgument, "FIELD_INVALID"},
		{"negative window", create(&rotationv1.CreateRotationRequest{Parent: name, QuietWindow: durationpb.New(-time.Second)}), codes.InvalidArgument, "FIELD_INVALID"},
		{"no deadline at all", create(&rotationv1.CreateRotationRequest{Parent: name, Deadline: durationpb.New(0)}), codes.InvalidArgument, "FIELD_INVALID"},
		{"malformed request id", create(&rotationv1.CreateRotationRequest{Parent: name, RequestId: "once"}), codes.InvalidArgument, "FIELD_INVALID"},
		{"unknown rotation", get(name + "/rotations/01990000-0000-7000-8000-000000000000"), codes.NotFound, "ROTATION_UNKNOWN"},
		{"no rotation id", get(name + "/rotations/" + strings.Repeat("-", 36)), codes.NotFound, "ROTATION_UNKNOWN"},
		{"malformed token", list(&rotationv1.ListRotationsRequest{Parent: name, PageToken: "!"}), codes.InvalidArgument, "PAGE_TOKEN_INVALID"},
		{"invented token", list(&rotationv1.ListRotationsRequest{Parent: name, PageToken: "bm93IDE"}), codes.InvalidArgument, "PAGE_TOKEN_INVALID"},
		{"huge page", list(&rotationv1.ListRotationsRequest{Parent: name, PageSize: 1001}), codes.InvalidArgument, "FIELD_INVALID"},
		{"list of an unknown", list(&rotationv1.ListRotationsRequest{Parent: unknown}), codes.NotFound, "CREDENTIAL_UNKNOWN"},
	} {
		f := fault.From(try.err)
		if f == nil || f.Code != try.code || f.Reason != try.reason || f.Remedy == "" {
			t.Errorf("%s: %v, want %s with a remedy", try.what, try.err, try.reason)
		}
	}
	found, err := r.ListRotations(ctx, &rotationv1.ListRotationsRequest{Parent: name})
	if err != nil || len(found.GetRotations()) != 0 {
		t.Errorf("something was made: %v, %v", found, err)
	}
}

func TestOneRotationAtATime(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.addWorkspace(t)
	parent := string(credential.ForWorkspace(w.Name))
	const id, otherID = "6f1c2f36-8f3c-4b4e-9a51-0d4a3c1f2b10", "6f1c2f36-8f3c-4b4e-9a51-0d4a3c1f2b11"
	create := func(id string, window time.Duration) (*rotationv1.Rotation, error) {
		reply, err := h.rotations().CreateRotation(h.customer(t, w), &rotationv1.CreateRotationRequest{
			Parent: parent, RequestId: id, QuietWindow: durationpb.New(window),
		})
		return reply.GetRotation(), err
	}
	first, err := create(id, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	again, err := create(id, time.Second)
	if err != nil || again.GetName() != first.GetName() {
		t.Errorf("a repeat made %s, %v", again.GetName(), err)
	}
	if _, err := create(id, time.Minute); fault.ReasonOf(err) != "REQUEST_ID_REUSED" || fault.CodeOf(err) != codes.AlreadyExists {
		t.Errorf("another body under the same id: %v", err)
	}
	if _, err := create(otherID, time.Second); fault.ReasonOf(err) != "ROTATION_ACTIVE" {
		t.Errorf("a second rotation: %v", err)
	}
	reply, err := h.credentials().GetCredential(h.customer(t, w), &rotationv1.GetCredentialRequest{Name: parent})
	if err != nil || reply.GetCredential().GetRotation() != first.GetName() || reply.GetCredential().GetActiveGeneration() != 1 {
		t.Errorf("the credential says %v, %v", reply, err)
	}
}
