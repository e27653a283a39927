package authenticate_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/authenticate"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

const text = "nk_sec_abcDEF012345_0123456789012345678901234567890123456789012_ABCDEF"

// keys is a source of keys made of a function.
type keys func() (key.Identity, error)

func (k keys) Authenticate(context.Context, string) (key.Identity, error) { return k() }

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func TestAnAnswerFromBeforeARevocationIsNotRemembered(t *testing.T) {
	t.Parallel()
	cache, asked := authenticate.NewCache(time.Minute, 10), 0
	a := authenticate.New(keys(func() (key.Identity, error) {
		asked++
		if asked == 1 {
			cache.EvictKey("abcDEF012345") // the revocation comes while the answer is on its way
		}
		return key.Identity{KID: "abcDEF012345", Kind: key.Secret, Workspace: "w"}, nil
	}), cache, clock.NewFake(start), func(string) {})
	for range 3 {
		if _, err := a.Authenticate(t.Context(), key.Headers{APIKey: []string{text}}); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2: after the revocation once more, then remembered", asked)
	}
}

func TestAKeyIsAskedAboutAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	asked, now := 0, clock.NewFake(start)
	a := authenticate.New(keys(func() (key.Identity, error) {
		asked++
		return key.Identity{KID: "k", Kind: key.Admin}, nil
	}), authenticate.NewCache(time.Minute, 10), now, func(string) {})
	for _, after := range []time.Duration{0, 59 * time.Second, time.Second, 59 * time.Second} {
		now.Advance(after)
		if _, err := a.Authenticate(t.Context(), key.Headers{APIKey: []string{text}}); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times in two minutes", asked)
	}
}

func TestWhatCouldNotBeAskedIsNoRefusal(t *testing.T) {
	t.Parallel()
	var seen []string
	a := authenticate.New(keys(func() (key.Identity, error) { return key.Identity{}, errors.New("broken pipe to 10.0.0.1") }),
		authenticate.NewCache(time.Minute, 10), clock.NewFake(start), func(reason string) { seen = append(seen, reason) })
	_, err := a.Authenticate(t.Context(), key.Headers{APIKey: []string{text}})
	if f := fault.From(err); f.Reason != "AUTHENTICATION_UNAVAILABLE" || f.Remedy == "" || f.RetryAfter == 0 {
		t.Errorf("got %v", err)
	}
	if len(seen) != 1 || authenticate.Refused(seen[0]) || authenticate.Outcome(seen[0]) != "unanswered" {
		t.Errorf("observed %v", seen)
	}
}

func TestTheCacheStaysWithinItsLimit(t *testing.T) {
	t.Parallel()
	cache := authenticate.NewCache(time.Minute, 3)
	for i := range 100 {
		cache.Put(authenticate.Digest(fmt.Sprint(i)), key.Identity{KID: fmt.Sprint(i)}, start, cache.Epoch())
	}
	kept := 0
	for i := range 100 {
		if _, ok := cache.Get(authenticate.Digest(fmt.Sprint(i)), start); ok {
			kept++
		}
	}
	if _, ok := cache.Get(authenticate.Digest("99"), start); !ok || kept != 3 {
		t.Errorf("%d kept, the newest: %v", kept, ok)
	}
}
