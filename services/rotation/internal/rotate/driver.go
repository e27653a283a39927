package rotate

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Target is one generation of one credential.
type Target struct {
	Credential credential.Name
	Generation int32
}

// Driver acts on what a kind of credential opens. Each act is create-or-adopt under a name that follows from the Target:
// a repeat changes nothing. The text that an act returns is evidence for the journal and holds no secret. An error is a
// rotation.Failure where its meaning is known; any other says that the outcome is unknown.
type Driver interface {
	// Mint makes a secret. It does not touch the target.
	Mint(ctx context.Context, t Target) (generation.Secret, error)
	// Install makes the generation at the target, able to log in with s; one that is there gets s.
	Install(ctx context.Context, t Target, s generation.Secret) (string, error)
	// Observe says which generations are at the target now, all at one moment.
	Observe(ctx context.Context, c credential.Name) (map[int32]rotation.Presence, error)
	// Verify logs in with s and reports as whom. A refusal is a Failure of verdict Refused.
	Verify(ctx context.Context, t Target, s generation.Secret) (string, error)
	// Disable takes the login away; open sessions stay.
	Disable(ctx context.Context, t Target) (string, error)
	// Enable gives it back.
	Enable(ctx context.Context, t Target) (string, error)
	// ProveDead tries to log in and wants a refusal; s is zero for a generation that somebody else minted. A login that
	// works is a Failure of reason OldAlive.
	ProveDead(ctx context.Context, t Target, s generation.Secret) (string, error)
	// Destroy removes the generation, and ends its sessions. What is gone already stays gone, without an error.
	Destroy(ctx context.Context, t Target) (string, error)
}

// failureOf reads the meaning of a driver's error.
func failureOf(err error) rotation.Failure {
	var known rotation.Failure
	if errors.As(err, &known) {
		return known
	}
	f := fault.From(err)
	failure := rotation.Failure{Reason: rotation.TargetFailing, Message: "The target failed."}
	switch f.Code {
	case codes.NotFound, codes.InvalidArgument, codes.Unimplemented:
		failure.Verdict, failure.Reason = rotation.Never, rotation.Reason(f.Reason)
		failure.Message = sentence(f.Message)
	case codes.Internal, codes.Unknown: // its text is for logs alone
	case codes.DeadlineExceeded, codes.Unavailable:
		failure.Message = "The target does not answer."
	default:
		failure.Reason, failure.Message = rotation.Reason(f.Reason), sentence(f.Message)
	}
	return failure
}

func sentence(s string) string {
	if s == "" || s[len(s)-1] == '.' {
		return s
	}
	return s + "."
}
