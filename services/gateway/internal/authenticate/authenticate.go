// Package authenticate finds out who calls. It asks the tenant service about a key it has not seen, remembers a yes for
// a short while, and forgets it at once when the key is revoked. It never remembers a no: a new key works in its next
// call.
package authenticate

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// Keys knows which keys are genuine.
type Keys interface {
	// Authenticate says whose key a text is. It fails with an Unauthenticated fault for a key that does not work.
	Authenticate(ctx context.Context, text string) (key.Identity, error)
}

// Granted is the reason of an attempt that succeeded.
const Granted = "GRANTED"

// Observer is told the outcome of each attempt: Granted, or the reason of the refusal.
type Observer func(reason string)

// Authenticator answers for keys. It is safe for concurrent use.
type Authenticator struct {
	keys    Keys
	clock   clock.Clock
	cache   *Cache
	observe Observer
}

// New makes an Authenticator that remembers in cache.
func New(keys Keys, cache *Cache, c clock.Clock, observe Observer) *Authenticator {
	return &Authenticator{keys: keys, clock: c, cache: cache, observe: observe}
}

// Authenticate finds out whose key the headers carry.
func (a *Authenticator) Authenticate(ctx context.Context, h key.Headers) (key.Identity, error) {
	who, err := a.authenticate(ctx, h)
	if err != nil {
		a.observe(fault.ReasonOf(err))
		return key.Identity{}, err
	}
	a.observe(Granted)
	return who, nil
}

func (a *Authenticator) authenticate(ctx context.Context, h key.Headers) (key.Identity, error) {
	text, err := key.Presented(h)
	if err != nil {
		return key.Identity{}, err
	}
	now, digest := a.clock.Now(), Digest(text)
	who, ok := a.cache.Get(digest, now)
	if !ok {
		if who, err = a.ask(ctx, text, digest, now); err != nil {
			return key.Identity{}, err
		}
	}
	if who.Expired(now) {
		return key.Identity{}, key.Outlived()
	}
	return who, nil
}

// askTimeout bounds one question to the tenant service.
const askTimeout = 5 * time.Second

func (a *Authenticator) ask(ctx context.Context, text string, digest [32]byte, now time.Time) (key.Identity, error) {
	epoch := a.cache.Epoch()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	who, err := a.keys.Authenticate(ctx, text)
	if err != nil {
		return key.Identity{}, refusal(err)
	}
	a.cache.Put(digest, who, now, epoch)
	return who, nil
}

// refusal keeps a no as it was said; anything else says that nobody could be asked.
func refusal(err error) error {
	f := fault.From(err)
	switch {
	case f.Code == codes.Canceled:
		return f
	case f.Code != codes.Unauthenticated:
		return fault.Unavailable("AUTHENTICATION_UNAVAILABLE", "API keys cannot be checked at the moment.").
			WithRemedy("Try again in a moment.").WithRetryAfter(time.Second).WithCause(err)
	case f.Remedy == "":
		return f.WithRemedy("Use a key that is live: an operator or the workspace's owner can make one.")
	}
	return f
}

// Refused reports whether reason is one of a key that was refused: not of a call without one, and not of a platform
// that could not look.
func Refused(reason string) bool {
	switch reason {
	case Granted, "KEY_MISSING", "AUTHENTICATION_UNAVAILABLE", "CANCELED":
		return false
	}
	return true
}

// Outcome is the reason's class: granted, refused, missing (no key at all) or unanswered (nobody could look).
func Outcome(reason string) string {
	switch {
	case reason == Granted:
		return "granted"
	case reason == "KEY_MISSING":
		return "missing"
	case Refused(reason):
		return "refused"
	}
	return "unanswered"
}
