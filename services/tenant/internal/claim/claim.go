// Package claim makes a customer's workspace out of a ready slot: one small transaction in the platform database, since
// everything else was made before. When no slot is ready it has one built, within a bound.
package claim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/credential"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/plan"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Primary is the region whose S3 key a customer is given.
const Primary = "primary"

// Order asks for a workspace.
type Order struct {
	DisplayName string
	Plan        string // name; empty = plan.Free
	Request     request.Request
}

// Outcome is a workspace; Credentials are nil in a repeat whose reply is withheld.
type Outcome struct {
	Workspace   workspace.Workspace
	Credentials *credential.Bundle
}

// Filled is everything that makes a slot a customer's.
type Filled struct {
	Workspace workspace.Workspace
	Keys      []key.Stored
	Left      []byte // what stays of the slot's secrets, sealed
	Reply     []byte // the credentials, sealed, for a repeat; nil when none can come
}

// Fill makes the rows for a slot out of its sealed secrets.
type Fill func(ref string, secrets []byte, now time.Time) (Filled, error)

// ErrNoSlot says that no slot is ready.
var ErrNoSlot = errors.New("no slot is ready")

// Store keeps slots and workspaces.
type Store interface {
	// Claim gives a ready slot away, or returns what is known of the same order before. ErrNoSlot: none is ready.
	Claim(ctx context.Context, cell string, r request.Request, fill Fill) (*request.Seen, error)
	// Workspace reads one. NotFound: there is none.
	Workspace(ctx context.Context, ref string) (workspace.Workspace, error)
	// Now is the record's time.
	Now() time.Time
}

// Builder builds slots.
type Builder interface {
	// BuildNow returns once a slot is ready that was not there before, or may be. Unavailable: a part is down.
	BuildNow(ctx context.Context) error
	// Wake says that a slot was claimed.
	Wake()
}

// Vault seals secrets.
type Vault interface {
	Seal(name string, value []byte) ([]byte, error)
	Open(name string, sealed []byte) ([]byte, error)
	Pepper() (key.Pepper, error)
}

// Claimer carries out orders.
type Claimer struct {
	Store   Store
	Builder Builder
	Vault   Vault
	Cell    cell.Cell
	Wait    time.Duration // how long an order may wait for a slot to be built
}

// Create claims a slot. ResourceExhausted: none was ready within Wait. Unavailable: none can be built at the moment.
func (c *Claimer) Create(ctx context.Context, o Order) (Outcome, error) {
	p, err := plan.Find(o.Plan)
	if err != nil {
		return Outcome{}, err
	}
	wait, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	for {
		outcome, err := c.attempt(ctx, o, p)
		if !errors.Is(err, ErrNoSlot) {
			return outcome, err
		}
		if err := c.Builder.BuildNow(wait); err != nil {
			return Outcome{}, c.late(ctx, wait, err)
		}
	}
}

// late says in the customer's words why there is no slot.
func (c *Claimer) late(ctx, wait context.Context, err error) error {
	var known *fault.Fault
	switch {
	case errors.As(err, &known):
		return err
	case ctx.Err() == nil && wait.Err() != nil:
		return fault.Exhausted("SLOTS_EXHAUSTED", "More workspaces are being created than can be prepared at the moment.").
			WithRemedy("Try again.").WithRetryAfter(2 * time.Second).WithCause(err)
	}
	return err
}

func (c *Claimer) attempt(ctx context.Context, o Order, p plan.Plan) (Outcome, error) {
	var outcome Outcome
	seen, err := c.Store.Claim(ctx, c.Cell.ID, o.Request, func(ref string, sealed []byte, now time.Time) (Filled, error) {
		secrets, err := c.open(ref, sealed)
		if err != nil {
			return Filled{}, err
		}
		var filled Filled
		outcome, filled, err = c.fill(o, p, ref, secrets, now)
		return filled, err
	})
	switch {
	case err != nil:
		return Outcome{}, err
	case seen != nil:
		return c.replay(ctx, o.Request, *seen)
	}
	c.Builder.Wake()
	return outcome, nil
}

func (c *Claimer) open(ref string, sealed []byte) (slot.Secrets, error) {
	plain, err := c.Vault.Open(slot.Name(ref), sealed)
	if err != nil {
		return slot.Secrets{}, fmt.Errorf("open secrets of slot %s: %w", ref, err)
	}
	return slot.DecodeSecrets(plain)
}

func (c *Claimer) fill(o Order, p plan.Plan, ref string, secrets slot.Secrets, now time.Time) (Outcome, Filled, error) {
	pepper, err := c.Vault.Pepper()
	if err != nil {
		return Outcome{}, Filled{}, err
	}
	w := workspace.Workspace{
		Ref: ref, DisplayName: o.DisplayName, Plan: p.Name, State: workspace.Active, Cell: c.Cell.ID, Server: c.Cell.Server,
		LoginGeneration: 1, CreateTime: now,
	}
	secret, secretText := key.Issue(key.Secret, pepper, ref, "first secret key", now, nil)
	public, publicText := key.Issue(key.Public, pepper, ref, "first public key", now, nil)
	user := cell.Owner{Ref: ref}.Role(1)
	bundle := credential.Bundle{
		DatabaseUser: user, DatabasePassword: secrets.DatabasePassword,
		DatabaseURL: credential.URL(c.Cell, user, secrets.DatabasePassword),
		S3AccessKey: secrets.S3[Primary].ID, S3SecretKey: secrets.S3[Primary].Secret,
		SecretKey: secretText, PublicKey: publicText,
	}
	filled := Filled{Workspace: w, Keys: []key.Stored{secret, public}}
	if filled.Left, err = c.left(ref, secrets); err != nil {
		return Outcome{}, Filled{}, err
	}
	if o.Request.Protected() {
		filled.Reply, err = c.seal(o.Request.SealName(), bundle)
	}
	return Outcome{Workspace: w, Credentials: &bundle}, filled, err
}

// left keeps the S3 keys of the other regions, which the customer was not given.
func (c *Claimer) left(ref string, secrets slot.Secrets) ([]byte, error) {
	rest := slot.Secrets{S3: map[string]slot.S3Key{}}
	for region, k := range secrets.S3 {
		if region != Primary {
			rest.S3[region] = k
		}
	}
	return c.seal(slot.Name(ref), rest)
}

func (c *Claimer) seal(name string, value any) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return c.Vault.Seal(name, plain)
}

// replay answers an order that was carried out before.
func (c *Claimer) replay(ctx context.Context, r request.Request, seen request.Seen) (Outcome, error) {
	w, err := c.Store.Workspace(ctx, strings.TrimPrefix(seen.Resource, workspace.Name("")))
	if err != nil || !seen.Replayable(c.Store.Now()) {
		return Outcome{Workspace: w}, err
	}
	plain, err := c.Vault.Open(r.SealName(), seen.Reply)
	if err != nil {
		return Outcome{}, err
	}
	var bundle credential.Bundle
	if err := json.Unmarshal(plain, &bundle); err != nil {
		return Outcome{}, fmt.Errorf("decode the reply of %s: %w", r.SealName(), err)
	}
	return Outcome{Workspace: w, Credentials: &bundle}, nil
}
