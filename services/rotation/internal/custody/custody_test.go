package custody_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/event"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/store"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

const (
	workspace = "workspaces/abcdefghijklmnopqrst"
	server    = "servers/server1"
)

// desk is a Custody on a real database, without anybody who carries rotations out.
type desk struct {
	*custody.Custody
	pool  *pg.Pool
	store *store.Store
}

func newDesk(t *testing.T) desk {
	t.Helper()
	pool := pg.New(pg.Config{URL: localtest.Database(t)})
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Stop(context.Background()) })
	if err := outbox.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	if err := pg.Migrate(t.Context(), pool, store.Migrations(), "schema_version"); err != nil {
		t.Fatal(err)
	}
	box, err := seal.NewBox(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	emit := event.Emitter(outbox.New("rotation"))
	kept := store.New(pool, box, emit)
	return desk{pool: pool, store: kept, Custody: custody.New(
		custody.Config{QuietWindow: time.Second, Deadline: time.Hour},
		custody.Deps{Store: kept, Emit: emit, Kick: func() {}, Log: obs.Discard().Log})}
}

func (d desk) register(t *testing.T, generation int32) {
	t.Helper()
	d.inTx(t, func(ctx context.Context, tx *pg.Tx) error {
		return d.Register(ctx, tx, custody.Workspace{Name: workspace, Server: server, Generation: generation})
	})
}

func (d desk) inTx(t *testing.T, f func(ctx context.Context, tx *pg.Tx) error) {
	t.Helper()
	if err := d.pool.InTx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func TestRepeatedRegistrationChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, generation := range []int32{1, 1, 7} {
		d.register(t, generation)
	}
	c, err := d.store.Credential(t.Context(), credential.ForWorkspace(workspace))
	if err != nil || c.Active != 1 || c.Last != 1 || c.RotationID != "" {
		t.Errorf("the workspace's: %+v, %v", c, err)
	}
	reader := credential.ForServer(server)
	found, _, err := d.store.Rotations(t.Context(), reader, rotation.Position{}, 10)
	if err != nil || len(found) != 1 || found[0].Old != 0 || found[0].New != 1 {
		t.Errorf("the reader's rotations: %+v, %v", found, err)
	}
}

func TestRegistrationAfterTheEndBringsNothingBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.inTx(t, func(ctx context.Context, tx *pg.Tx) error { return d.Retire(ctx, tx, workspace) })
	d.register(t, 1)
	if c, err := d.store.Credential(t.Context(), credential.ForWorkspace(workspace)); fault.ReasonOf(err) != "CREDENTIAL_UNKNOWN" {
		t.Errorf("came back as %+v, %v", c, err)
	}
}

func TestOneOfManyWinsARotation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.register(t, 1)
	reasons := d.race(t, func(int) custody.Order { return custody.Order{Credential: credential.ForWorkspace(workspace)} })
	if reasons["started"] != 1 || reasons["ROTATION_ACTIVE"] != racers-1 {
		t.Errorf("outcomes %v", reasons)
	}
}

func TestRacingRepeatsGetTheSameRotation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.register(t, 1)
	request := custody.Request{Scope: "test", ID: uuid.NewString(), Hash: []byte("body")}
	reasons := d.race(t, func(int) custody.Order {
		return custody.Order{Credential: credential.ForWorkspace(workspace), Request: request}
	})
	if reasons["started"] != racers {
		t.Errorf("outcomes %v", reasons)
	}
	found, _, err := d.store.Rotations(t.Context(), credential.ForWorkspace(workspace), rotation.Position{}, 10)
	if err != nil || len(found) != 1 {
		t.Errorf("%d rotations, %v", len(found), err)
	}
}

func TestReusedIDForAnotherCredentialIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.register(t, 1)
	d.inTx(t, func(ctx context.Context, tx *pg.Tx) error {
		return d.Register(ctx, tx, custody.Workspace{Name: "workspaces/zzzzzzzzzzzzzzzzzzzz", Generation: 1})
	})
	id := uuid.NewString()
	reasons := d.race(t, func(i int) custody.Order {
		owner := []string{workspace, "workspaces/zzzzzzzzzzzzzzzzzzzz"}[i%2]
		return custody.Order{
			Credential: credential.ForWorkspace(owner), Request: custody.Request{Scope: "test", ID: id, Hash: []byte(owner)},
		}
	})
	if reasons["started"] != racers/2 || reasons["REQUEST_ID_REUSED"] != racers/2 {
		t.Errorf("outcomes %v", reasons)
	}
}

const racers = 8

// race sends orders at the same time and counts what came of them.
func (d desk) race(t *testing.T, order func(i int) custody.Order) map[string]int {
	t.Helper()
	var mu sync.Mutex
	reasons := map[string]int{}
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			_, _, err := d.Create(t.Context(), order(i))
			reason := "started"
			if err != nil {
				reason = fault.ReasonOf(err)
			}
			mu.Lock()
			defer mu.Unlock()
			reasons[reason]++
		})
	}
	all.Wait()
	return reasons
}

func TestAcknowledgementIsCheckedAgainstTheState(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.register(t, 3)
	n := credential.ForWorkspace(workspace)
	if _, _, err := d.Create(t.Context(), custody.Order{Credential: n}); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[int32]string{
		2: "GENERATION_NOT_ANNOUNCED", 3: "", 4: "GENERATION_NOT_ANNOUNCED", 5: "GENERATION_NOT_ANNOUNCED",
	} {
		if _, err := d.Acknowledge(t.Context(), n, number, ""); fault.ReasonOf(err) != want {
			t.Errorf("generation %d: %v, want %q", number, err, want)
		}
	}
	if _, err := d.Acknowledge(t.Context(), n, 3, "backup"); fault.ReasonOf(err) != "HOLDER_MISMATCH" {
		t.Errorf("by somebody else: %v", err)
	}
}
