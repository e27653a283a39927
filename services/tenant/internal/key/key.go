// Package key owns what an API key is: its text, what is stored of it, and when it is refused. It never keeps a text.
package key

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Kind is what a key may do; it is part of the text.
type Kind string

// The kinds of key.
const (
	Secret Kind = "sec" // every permission on its own workspace
	Public Kind = "pub" // for browsers
	Admin  Kind = "adm" // an operator's, of no workspace
)

// Known says whether k is one of the kinds.
func (k Kind) Known() bool { return k == Secret || k == Public || k == Admin }

// Key is an API key without its text.
type Key struct {
	Kid         string
	Kind        Kind
	Workspace   string     // ref; empty = an operator's
	DisplayName string     // the customer's own words
	CreateTime  time.Time  // UTC
	ExpireTime  *time.Time // UTC; nil = never
	RevokeTime  *time.Time // UTC; nil while live
}

// Name is the resource name.
func (k Key) Name() string {
	if k.Workspace == "" {
		return "keys/" + k.Kid
	}
	return workspace.Name(k.Workspace) + "/keys/" + k.Kid
}

// Usable says why the key is refused at now, or nil.
func (k Key) Usable(now time.Time) error {
	switch {
	case k.RevokeTime != nil && k.Kind == Admin:
		return fault.Unauthenticated("KEY_REVOKED", "This admin key was revoked.").
			WithRemedy("Read the new one; who has lost it starts the platform with `naksha up --new-admin-key`.")
	case k.RevokeTime != nil:
		return fault.Unauthenticated("KEY_REVOKED", "This API key was revoked.").WithRemedy("Use another key of the workspace.")
	case k.ExpireTime != nil && !now.Before(*k.ExpireTime):
		return fault.Unauthenticated("KEY_EXPIRED", "This API key has expired.").WithRemedy("Make a new key.")
	}
	return nil
}

// Unknown is the answer to a well-formed text that is nobody's key.
func Unknown() error {
	return fault.Unauthenticated("KEY_UNKNOWN", "This API key is not known.").
		WithRemedy("Check that the key is one of this platform, and whole.")
}

// NotFound is the answer to a kid that the workspace does not have.
func NotFound(kid string) error {
	return fault.NotFound("KEY_NOT_FOUND", "The workspace has no key %s.", kid).WithRemedy("List the workspace's keys.")
}

// Limit is how many live keys a workspace may have.
const Limit = 100

// TooMany is the answer to an order beyond the limit.
func TooMany() error {
	return fault.Exhausted("KEY_LIMIT_REACHED", "The workspace has %d keys; more are not possible.", Limit).
		WithRemedy("Delete keys that are not used any more.")
}

// Revoked is the fact that a key is refused from now on.
type Revoked struct {
	Key Key
	At  time.Time
}

// Stored is a key with what is kept of its text.
type Stored struct {
	Key
	Hash   []byte // HMAC-SHA-256 of the text under a pepper
	Pepper int32  // version of the pepper
}

// Pepper is the secret under which texts are hashed: a copy of the table alone lets nobody try texts.
type Pepper struct {
	Version int32
	Key     []byte // 32 bytes
}

// Hash is what is stored of a text.
func (p Pepper) Hash(text string) []byte {
	h := hmac.New(sha256.New, p.Key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Issue draws a key and returns it in the form that is stored, and its text, which is shown once.
func Issue(kind Kind, p Pepper, ref, displayName string, now time.Time, expire *time.Time) (Stored, string) {
	kid, text := New(kind)
	return Stored{
		Key:  Key{Kid: kid, Kind: kind, Workspace: ref, DisplayName: displayName, CreateTime: now, ExpireTime: expire},
		Hash: p.Hash(text), Pepper: p.Version,
	}, text
}

const (
	// FirstPepper is the version of the first pepper.
	FirstPepper int32 = 1
	// HashSize is the size of a stored hash, in bytes.
	HashSize = sha256.Size
)
