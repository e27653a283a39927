package rotate_test

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotatetest"
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

// TestTheStoreConforms holds the store to what the simulation's journal does.
func TestTheStoreConforms(t *testing.T) {
	t.Parallel()
	rotatetest.ConformingJournal(t, func(t *testing.T) rotatetest.JournalCase {
		s := newBench(t).subject(t)
		return rotatetest.JournalCase{
			Journal: s.store, Rotation: s.rotation(t), Advance: s.clock.Advance,
			Acknowledge: func() {
				err := s.pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
					return s.store.Acknowledge(ctx, tx, s.rotation(t))
				})
				if err != nil {
					t.Error(err)
				}
			},
			Active: func() int32 {
				c, err := s.store.Credential(t.Context(), s.name)
				if err != nil {
					t.Error(err)
				}
				return c.Active
			},
		}
	})
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
