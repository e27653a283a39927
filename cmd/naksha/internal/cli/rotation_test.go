package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
)

// rotations is a rotation service that tells what it was asked.
type rotations struct {
	rotationv1.UnimplementedRotationServiceServer
	asked chan *rotationv1.CreateRotationRequest
}

func (r rotations) CreateRotation(_ context.Context, q *rotationv1.CreateRotationRequest) (*rotationv1.CreateRotationResponse, error) {
	r.asked <- q
	return &rotationv1.CreateRotationResponse{Rotation: &rotationv1.Rotation{Name: q.GetParent() + "/rotations/one"}}, nil
}

func newRotations(t *testing.T) (target, <-chan *rotationv1.CreateRotationRequest) {
	t.Helper()
	r := rotations{asked: make(chan *rotationv1.CreateRotationRequest, 1)}
	return serve(t, func(s *grpc.Server) { rotationv1.RegisterRotationServiceServer(s, r) }), r.asked
}

func TestRotationIsAskedForWithWhatWasGiven(t *testing.T) {
	t.Parallel()
	at, asked := newRotations(t)
	given := func(args ...string) *rotationv1.CreateRotationRequest {
		got := at.run(t.Context(), append([]string{"rotation", "create", "workspaces/x/credentials/database"}, args...)...)
		select {
		case q := <-asked:
			return q
		default:
			t.Fatalf("it asked nothing: %+v", got)
			return nil
		}
	}
	if q := given(); q.QuietWindow != nil || q.Deadline != nil {
		t.Errorf("nothing was given, and it asked %v", q)
	}
	if q := given("--quiet-window", "-5s", "--deadline", "0s"); q.QuietWindow.AsDuration() != -5*time.Second || q.Deadline == nil { // the platform refuses both
		t.Errorf("it asked %v", q)
	}
}

func TestRotationSaysWhatIsNext(t *testing.T) {
	t.Parallel()
	at, asked := newRotations(t)
	for credential, redeemed := range map[string]bool{"workspaces/x/credentials/database": true, "servers/s/credentials/backup-reader": false} {
		got := at.run(t.Context(), "rotation", "create", credential)
		select {
		case <-asked:
		default:
			t.Fatalf("%s: it asked nothing: %+v", credential, got)
		}
		if strings.Contains(got.err, "naksha credential redeem "+credential) != redeemed ||
			strings.Contains(got.err, "naksha credential acknowledge "+credential) != redeemed ||
			!strings.Contains(got.err, "naksha rotation get "+credential+"/rotations/one") {
			t.Errorf("%s: %+v", credential, got)
		}
	}
}
