// Package issue makes and revokes API keys. A text is returned once and kept only sealed, for a repeat of the order
// within its window.
package issue

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
)

// Order asks for a key.
type Order struct {
	Workspace   string // ref
	Kind        key.Kind
	DisplayName string
	ExpireTime  *time.Time
	Request     request.Request
}

// Make draws a key at now, with its sealed reply where a repeat may come.
type Make func(now time.Time) (k key.Stored, reply []byte, err error)

// Store keeps keys.
type Store interface {
	// AddKey stores what make draws, or returns what is known of the same order before.
	AddKey(ctx context.Context, ref string, r request.Request, make Make) (*request.Seen, error)
	Key(ctx context.Context, ref, kid string) (key.Key, error)
	// FindKey reads any key by its id; false when there is none.
	FindKey(ctx context.Context, kid string) (k key.Stored, found bool, err error)
	// RenewAdminKey revokes the operators' keys of before since, stores what make draws where none is left, and calls
	// publish when that is durable.
	RenewAdminKey(ctx context.Context, since time.Time, make Make, publish func(context.Context) error) error
	Now() time.Time
}

// Vault seals texts.
type Vault interface {
	Seal(name string, value []byte) ([]byte, error)
	Open(name string, sealed []byte) ([]byte, error)
	Pepper() (key.Pepper, error)
}

// Issuer carries out orders.
type Issuer struct {
	Store Store
	Vault Vault
}

// Create makes a key and returns its text; empty in a repeat whose reply is withheld.
func (i *Issuer) Create(ctx context.Context, o Order) (k key.Key, text string, err error) {
	pepper, err := i.Vault.Pepper()
	if err != nil {
		return key.Key{}, "", err
	}
	seen, err := i.Store.AddKey(ctx, o.Workspace, o.Request, func(now time.Time) (stored key.Stored, reply []byte, err error) {
		if o.ExpireTime != nil && !o.ExpireTime.After(now) {
			return key.Stored{}, nil, expired()
		}
		stored, text = key.Issue(o.Kind, pepper, o.Workspace, o.DisplayName, now, o.ExpireTime)
		k = stored.Key
		if o.Request.Protected() {
			reply, err = i.Vault.Seal(o.Request.SealName(), []byte(text))
		}
		return stored, reply, err
	})
	if err != nil || seen == nil {
		return k, text, err
	}
	return i.replay(ctx, o, *seen)
}

func (i *Issuer) replay(ctx context.Context, o Order, seen request.Seen) (key.Key, string, error) {
	k, err := i.Store.Key(ctx, o.Workspace, seen.Resource[len(seen.Resource)-key.KidLength:])
	if err != nil || !seen.Replayable(i.Store.Now()) {
		return k, "", err
	}
	text, err := i.Vault.Open(o.Request.SealName(), seen.Reply)
	return k, string(text), err
}

func expired() error {
	return fault.Invalid("EXPIRE_TIME_PAST", "expire_time lies in the past.").
		WithRemedy("Choose a time that lies ahead, or leave it unset.").WithField("expire_time", "must lie ahead")
}
