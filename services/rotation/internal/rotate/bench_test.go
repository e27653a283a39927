package rotate_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/event"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/store"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

const (
	lease = 10 * time.Second
	quiet = 5 * time.Second
	tick  = time.Second
)

// bench is a platform database, a cell, and a clock that stands still: rotations are advanced by hand.
type bench struct {
	clock   *clock.Fake
	pool    *pg.Pool
	store   *store.Store
	cell    *celltest.Cell
	driver  *postgres.Driver
	custody *custody.Custody
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{clock: clock.NewFake(time.Now()), cell: celltest.New(t)}
	b.pool = pg.New(pg.Config{URL: localtest.Database(t), Clock: b.clock})
	if err := b.pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.pool.Stop(context.Background()) })
	if err := outbox.Migrate(t.Context(), b.pool); err != nil {
		t.Fatal(err)
	}
	if err := pg.Migrate(t.Context(), b.pool, store.Migrations(), "schema_version"); err != nil {
		t.Fatal(err)
	}
	box, err := seal.NewBox(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	emit := event.Emitter(outbox.New("rotation"))
	b.store = store.New(b.pool, box, emit)
	b.driver = postgres.New(b.cell.Client(t), postgres.Dial)
	b.custody = custody.New(custody.Config{QuietWindow: quiet, Deadline: time.Hour}, custody.Deps{
		Store: b.store, Emit: emit, Kick: func() {}, Log: obs.Discard().Log,
		Locators: map[credential.Kind]custody.Locator{credential.Database: b.driver, credential.BackupReader: b.driver},
	})
	return b
}

// engine is one replica; wrap changes its parts, nil = real ones.
func (b *bench) engine(t *testing.T, j rotate.Journal, d rotate.Driver) *rotate.Engine {
	t.Helper()
	e, err := rotate.NewEngine(rotate.EngineDeps{
		Journal: j, Clock: b.clock, Telemetry: obs.Discard(),
		Drivers: map[credential.Kind]rotate.Driver{credential.Database: d, credential.BackupReader: d},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// round lets a replica do all that is due now.
func (b *bench) round(t *testing.T, j rotate.Journal, e *rotate.Engine) error {
	t.Helper()
	leases, err := j.Claim(t.Context(), "test", 10, lease)
	if err != nil {
		return err
	}
	for _, l := range leases {
		if err := e.Advance(t.Context(), l); err != nil {
			return err
		}
	}
	return nil
}

// subject is a workspace's credential in rotation, its customer included.
type subject struct {
	*bench
	workspace celltest.Workspace
	name      credential.Name
	id        string
	old       *pgx.Conn // the customer's session of generation 1
}

func (b *bench) subject(t *testing.T) *subject {
	t.Helper()
	s := &subject{bench: b, workspace: b.cell.AddWorkspace(t)}
	s.name = credential.ForWorkspace(s.workspace.Name)
	err := b.pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		return b.custody.Register(ctx, tx, custody.Workspace{Name: s.workspace.Name, Generation: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.open(t)
	s.begin(t)
	return s
}

func (s *subject) begin(t *testing.T) {
	t.Helper()
	r, _, err := s.custody.Create(t.Context(), custody.Order{Credential: s.name})
	if err != nil {
		t.Fatal(err)
	}
	s.id = r.ID
}

// open opens the customer's session of generation 1.
func (s *subject) open(t *testing.T) {
	t.Helper()
	conn, err := s.cell.Login(t.Context(), s.role(1), s.workspace.Password)
	if err != nil {
		t.Fatal(err)
	}
	s.old = conn
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
}

// closeOld ends it, and waits until the server says so.
func (s *subject) closeOld(t *testing.T) {
	t.Helper()
	_ = s.old.Close(t.Context())
	s.cell.AwaitSessions(t, s.role(1), 0)
}

func (s *subject) role(number int32) string { return s.cell.Role(s.workspace.Name, number) }

func (s *subject) rotation(t *testing.T) rotation.Rotation {
	t.Helper()
	r, _, err := s.store.Rotation(t.Context(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// acknowledge is the customer's part: redeem, log in, leave the old session, say so.
func (s *subject) acknowledge(t *testing.T) {
	t.Helper()
	got := s.redeem(t)
	if !s.cell.Works(t, got.User, got.Password) {
		t.Fatalf("the redeemed generation %d does not work", got.Generation)
	}
	s.closeOld(t)
	if _, err := s.custody.Acknowledge(t.Context(), s.name, got.Generation, ""); err != nil {
		t.Fatal(err)
	}
}

func (s *subject) redeem(t *testing.T) custody.Redeemed {
	t.Helper()
	got, err := s.custody.Redeem(t.Context(), s.name, caller.Caller{Principal: "kid", Kind: caller.Secret})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// alive says whether a generation's password opens its role, and waits until the trial's session is seen gone.
func (s *subject) alive(t *testing.T, number int32) bool {
	t.Helper()
	password := s.workspace.Password
	if number > 1 {
		secret, err := s.store.Secret(context.WithoutCancel(t.Context()), s.name, number)
		if err != nil {
			t.Fatal(err)
		}
		password = secret.Password
	}
	return s.works(t, number, password)
}

func (s *subject) works(t *testing.T, number int32, password generation.Password) bool {
	t.Helper()
	before := 0
	if number == 1 && !s.old.IsClosed() {
		before = 1
	}
	works := s.cell.Works(t, s.role(number), password)
	s.cell.AwaitSessions(t, s.role(number), before)
	return works
}

// facts counts the types of the facts that were recorded of the credential.
func (s *subject) facts(t *testing.T) map[string]int {
	t.Helper()
	events, err := outbox.List(t.Context(), s.pool, string(s.name), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range events {
		count[e.Type[len("naksha.rotation.v1."):]]++
	}
	return count
}
