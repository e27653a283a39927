// Package authenticate says whose key a text is. It compares in constant time, also when there is nothing to compare
// with, and it answers only what the gateway needs.
package authenticate

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
)

// Store finds keys.
type Store interface {
	// FindKey reads a key with the hash of its text; false when there is none.
	FindKey(ctx context.Context, kid string) (k key.Stored, found bool, err error)
	Now() time.Time
}

// Peppers are the secrets that texts are hashed under.
type Peppers interface {
	// PepperOf returns the pepper of a version.
	PepperOf(version int32) (key.Pepper, error)
}

// Authenticator checks texts.
type Authenticator struct {
	Store   Store
	Peppers Peppers
}

// Check returns the live key of a text. Unauthenticated: KEY_MALFORMED, KEY_UNKNOWN, KEY_REVOKED or KEY_EXPIRED; the
// last two only to who knows the whole text.
func (a *Authenticator) Check(ctx context.Context, text string) (key.Key, error) {
	kind, kid, err := key.Parse(text)
	if err != nil {
		return key.Key{}, err
	}
	k, found, err := a.Store.FindKey(ctx, kid)
	if err != nil {
		return key.Key{}, err
	}
	if !found {
		k.Pepper, k.Hash = key.FirstPepper, make([]byte, key.HashSize)
	}
	pepper, err := a.Peppers.PepperOf(k.Pepper)
	if err != nil {
		return key.Key{}, err
	}
	equal := subtle.ConstantTimeCompare(pepper.Hash(text), k.Hash) == 1
	if !found || !equal || kind != k.Kind {
		return key.Key{}, key.Unknown()
	}
	return k.Key, k.Usable(a.Store.Now())
}
