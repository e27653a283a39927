package rotatetest

import (
	"errors"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// JournalCase is a Journal with one rotation, from generation 1 to 2, that nobody has touched.
type JournalCase struct {
	Journal     rotate.Journal
	Rotation    rotation.Rotation
	Advance     func(d time.Duration)
	Acknowledge func() // puts the holder's word in, as custody does
	Active      func() int32
}

const caseLease = 10 * time.Second

// ConformingJournal runs what every Journal must do; make is called for each test.
func ConformingJournal(t *testing.T, make func(t *testing.T) JournalCase) {
	for name, test := range map[string]func(t *testing.T, c JournalCase){
		"claims what is due until the lease ends": claims,
		"refuses a stale lease everywhere":        fences,
		"rests until it is due":                   rests,
		"overlooks no input":                      hears,
		"keeps what a step led to":                keeps,
		"gives a lease back":                      releases,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

// claim wants the rotation to be free, or not.
func (c JournalCase) claim(t *testing.T, free bool) *rotate.Lease {
	t.Helper()
	leases, err := c.Journal.Claim(t.Context(), "test", 10, caseLease)
	if err != nil || (len(leases) == 1) != free {
		t.Fatalf("claimed %d, %v", len(leases), err)
	}
	if !free {
		return nil
	}
	if got := leases[0]; got.Rotation.ID != c.Rotation.ID || got.For != caseLease {
		t.Fatalf("claimed %+v", got)
	}
	return leases[0]
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func claims(t *testing.T, c JournalCase) {
	first := c.claim(t, true)
	c.claim(t, false)
	c.Advance(caseLease / 2)
	done(t, c.Journal.Intend(t.Context(), first, rotation.Decision{Action: rotation.Install}))
	c.Advance(caseLease / 2)
	c.claim(t, false) // the intent prolonged it
	c.Advance(caseLease / 2)
	if again := c.claim(t, true); again.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d", again.Epoch, first.Epoch)
	}
}

func fences(t *testing.T, c JournalCase) {
	stale := c.claim(t, true)
	c.Advance(caseLease)
	c.claim(t, true)
	for what, err := range map[string]error{
		"intend":  c.Journal.Intend(t.Context(), stale, rotation.Decision{Action: rotation.Install}),
		"record":  c.Journal.Record(t.Context(), stale, rotate.Outcome{Transition: rotation.Transition{Next: stale.Rotation}}),
		"park":    c.Journal.Park(t.Context(), stale, stale.Rotation),
		"release": c.Journal.Release(t.Context(), stale),
	} {
		if !errors.Is(err, rotate.ErrFenced) {
			t.Errorf("%s under a stale lease: %v", what, err)
		}
	}
}

func rests(t *testing.T, c JournalCase) {
	l := c.claim(t, true)
	r := l.Rotation
	r.DueAt = r.CreatedAt.Add(time.Minute)
	done(t, c.Journal.Park(t.Context(), l, r))
	c.claim(t, false)
	seen, err := c.Journal.Survey(t.Context())
	done(t, err)
	if seen.Active != 1 || !seen.NextDue.Equal(r.DueAt) {
		t.Errorf("survey %+v, due %s", seen, r.DueAt)
	}
	c.Advance(time.Minute)
	c.claim(t, true)
}

func hears(t *testing.T, c JournalCase) {
	l := c.claim(t, true)
	c.Acknowledge() // while a replica holds it and knows nothing of that
	r := l.Rotation
	r.DueAt = r.CreatedAt.Add(time.Hour)
	done(t, c.Journal.Park(t.Context(), l, r))
	if again := c.claim(t, true); again.Rotation.AcknowledgedAt.IsZero() || again.Rotation.Count == 0 {
		t.Errorf("inputs %+v", again.Rotation.Inputs)
	}
}

func keeps(t *testing.T, c JournalCase) {
	l := c.claim(t, true)
	secret := generation.Secret{Password: "password", Verifier: "verifier"}
	mint := rotation.Decision{Action: rotation.Mint, Reason: rotation.Accepted}
	o := rotate.Outcome{Decision: mint, Secret: secret, Transition: rotation.After(l.Rotation, mint, "", l.Rotation.CreatedAt)}
	done(t, c.Journal.Record(t.Context(), l, o))
	c.holds(t, 1, generation.Secret{})
	c.holds(t, 2, secret)
	if l.Rotation.State != rotation.Minted {
		t.Errorf("the lease knows of %s", l.Rotation.State)
	}
	r := l.Rotation
	r.State, r.AcknowledgedAt = rotation.Announced, r.CreatedAt
	promote := rotation.Decision{Action: rotation.Promote, Reason: rotation.Acknowledged}
	done(t, c.Journal.Record(t.Context(), l, rotate.Outcome{Decision: promote, Transition: rotation.After(r, promote, "", r.CreatedAt)}))
	if c.Active() != 2 {
		t.Errorf("generation %d is active", c.Active())
	}
	r = l.Rotation
	r.AbortReason.Reason = rotation.LoginRefused
	abort := rotation.Decision{Action: rotation.Abort, Reason: rotation.LoginRefused}
	done(t, c.Journal.Record(t.Context(), l, rotate.Outcome{Decision: abort, Transition: rotation.After(r, abort, "", r.CreatedAt)}))
	c.holds(t, 2, generation.Secret{})
	c.Advance(time.Hour)
	c.claim(t, false)
}

func (c JournalCase) holds(t *testing.T, number int32, want generation.Secret) {
	t.Helper()
	if got, err := c.Journal.Secret(t.Context(), c.Rotation.Credential, number); err != nil || got != want {
		t.Errorf("the secret of generation %d: expected %t, %v", number, got == want, err)
	}
}

func releases(t *testing.T, c JournalCase) {
	l := c.claim(t, true)
	done(t, c.Journal.Release(t.Context(), l))
	if again := c.claim(t, true); again.Rotation.State != rotation.Planned {
		t.Errorf("released in %s", again.Rotation.State)
	}
}
