package custody

import (
	"context"
	"fmt"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
)

// Redeemable is a generation that its holder may have.
type Redeemable struct {
	Generation int32
	RotationID string
	Secret     generation.Secret
}

// Redemption is the record of a secret that was handed out.
type Redemption struct {
	Credential credential.Name
	Generation int32
	Principal  string // key id, or the service's name
	Kind       string // what the principal proved itself with
	RequestID  string
}

// Redeemed is a generation in its holder's hands.
type Redeemed struct {
	Generation int32
	Rotation   string // resource name
	User       string
	Password   generation.Password
	URL        generation.Password // connection string with user and password
}

// Redeem hands the newest announced generation to its holder, and after the acknowledgement the active one: as often as
// asked, since a reply may get lost and a holder may start anew. Each time is recorded before the reply.
func (c *Custody) Redeem(ctx context.Context, n credential.Name, who caller.Caller) (Redeemed, error) {
	if err := n.CheckHolder(ServiceOf(who)); err != nil {
		return Redeemed{}, err
	}
	g, found, err := c.Store.Redeemable(ctx, n)
	if err != nil {
		return Redeemed{}, err
	}
	if !found {
		return Redeemed{}, nothingToRedeem(n)
	}
	locator, ok := c.Locators[n.Kind()]
	if !ok {
		return Redeemed{}, fmt.Errorf("no locator for credentials of kind %s", n.Kind())
	}
	user, url, err := locator.Locate(ctx, n, g.Generation, g.Secret)
	if err != nil {
		return Redeemed{}, fmt.Errorf("locate generation %d of %s: %w", g.Generation, n, err)
	}
	err = c.Store.NoteRedemption(ctx, Redemption{
		Credential: n, Generation: g.Generation, Principal: who.Principal, Kind: who.Kind, RequestID: who.RequestID,
	})
	if err != nil {
		return Redeemed{}, err
	}
	c.Log.InfoContext(ctx, "credential redeemed", "credential", string(n), "generation", g.Generation, "principal", who.Principal)
	return Redeemed{
		Generation: g.Generation, Rotation: string(n) + "/rotations/" + g.RotationID, User: user,
		Password: g.Secret.Password, URL: generation.Password(url),
	}, nil
}

// ServiceOf is the name of a service that asks for itself, "" for everybody who came through the gateway.
func ServiceOf(who caller.Caller) string {
	if who.Kind == caller.Service {
		return who.Principal
	}
	return ""
}

func nothingToRedeem(n credential.Name) error {
	return fault.Precondition("NOTHING_TO_REDEEM", "No generation of %s can be redeemed.", n).
		WithRemedy("Create a rotation, wait until it is ANNOUNCED, and redeem then. The first login was in the reply to CreateWorkspace.")
}
