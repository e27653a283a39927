package rotate_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"

	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// slowDriver holds the first install back until it is let go.
type slowDriver struct {
	rotate.Driver
	reached, letGo chan struct{}
	once           *sync.Once
}

func (s slowDriver) Install(ctx context.Context, t rotate.Target, secret generation.Secret) (string, error) {
	s.once.Do(func() { close(s.reached); <-s.letGo })
	return s.Driver.Install(context.WithoutCancel(ctx), t, secret)
}

func TestStaleReplicaHasNoSay(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	slow := slowDriver{Driver: s.driver, reached: make(chan struct{}), letGo: make(chan struct{}), once: new(sync.Once)}
	stale := make(chan error, 1)
	go func() { stale <- s.round(t, s.store, s.engine(t, s.store, slow)) }()
	<-slow.reached
	s.clock.Advance(lease)
	s.until(t, rotation.Announced) // another replica took it over
	close(slow.letGo)
	if err := <-stale; err != nil {
		t.Errorf("the stale replica: %v", err)
	}
	if r := s.rotation(t); r.State != rotation.Announced {
		t.Errorf("the stale replica moved it to %s", r.State)
	}
	s.acknowledge(t)
	s.until(t, rotation.Completed)
	once := map[string]int{"RotationRequested": 1, "CredentialAnnounced": 1, "CredentialPromoted": 1, "CredentialRotated": 1}
	if got := s.facts(t); !maps.Equal(got, once) {
		t.Errorf("facts %v", got)
	}
}

func TestStaleLeaseIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	first := claimOne(t, s)
	s.clock.Advance(lease)
	claimOne(t, s)
	for what, err := range map[string]error{
		"intend":  s.store.Intend(t.Context(), first, rotation.Decision{Action: rotation.Install}),
		"record":  s.store.Record(t.Context(), first, rotate.Outcome{Transition: rotation.Transition{Next: first.Rotation}}),
		"park":    s.store.Park(t.Context(), first, first.Rotation),
		"release": s.store.Release(t.Context(), first),
	} {
		if !errors.Is(err, rotate.ErrFenced) {
			t.Errorf("%s under a stale lease: %v", what, err)
		}
	}
}

func claimOne(t *testing.T, s *subject) *rotate.Lease {
	t.Helper()
	leases, err := s.store.Claim(t.Context(), "test", 10, lease)
	if err != nil || len(leases) != 1 {
		t.Fatalf("claimed %d, %v", len(leases), err)
	}
	return leases[0]
}

func TestReplicasClaimEachRotationOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const rotations = 12
	for range rotations {
		b.subject(t)
	}
	var mu sync.Mutex
	claimed := map[string]int{}
	var replicas sync.WaitGroup
	for range 4 {
		replicas.Go(func() {
			for range rotations {
				leases, err := b.store.Claim(t.Context(), "test", 2, lease)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, l := range leases {
					claimed[l.Rotation.ID]++
				}
				mu.Unlock()
			}
		})
	}
	replicas.Wait()
	for id, times := range claimed {
		if times != 1 {
			t.Errorf("rotation %s was claimed %d times", id, times)
		}
	}
	if len(claimed) != rotations {
		t.Errorf("%d rotations were claimed, want %d", len(claimed), rotations)
	}
}

func TestInputDuringAStepIsNotOverlooked(t *testing.T) {
	t.Parallel()
	s := newBench(t).subject(t)
	s.until(t, rotation.Announced)
	s.clock.Advance(2 * 3600 * tick) // the deadline makes it due
	l := claimOne(t, s)
	s.acknowledge(t) // while a replica holds it and knows nothing of that
	if err := s.store.Park(t.Context(), l, l.Rotation); err != nil {
		t.Fatal(err)
	}
	claimOne(t, s)
}
