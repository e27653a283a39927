package rotatetest_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/kindtest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotatetest"
)

const workspace = credential.Name("workspaces/abcdefghijklmnopqrst/credentials/database")

// TestTheFakeDatabaseConforms holds the simulation's journal to what the real store must do.
func TestTheFakeDatabaseConforms(t *testing.T) {
	t.Parallel()
	rotatetest.ConformingJournal(t, func(t *testing.T) rotatetest.JournalCase {
		hands, record := clock.NewFake(time.Now()), rotatetest.NewRecord()
		conn := record.Plain(hands)
		const n = workspace
		keeper := custody.New(custody.Config{QuietWindow: quiet, Deadline: deadline},
			custody.Deps{Store: conn, Emit: conn.Emit, Kick: func() {}, Log: obs.Discard().Log})
		err := conn.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
			return keeper.Register(ctx, tx, custody.Workspace{Name: n.Owner(), Generation: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := keeper.Create(t.Context(), custody.Order{Credential: n})
		if err != nil {
			t.Fatal(err)
		}
		return rotatetest.JournalCase{
			Journal: conn, Rotation: r, Advance: hands.Advance,
			Acknowledge: func() {
				_ = conn.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error { return conn.Acknowledge(ctx, tx, r) })
			},
			Active: func() int32 { return record.Credentials[n].Active },
		}
	})
}

// TestTheFakeCellConforms holds the simulation's cell, behind the real driver, to what every driver must do.
func TestTheFakeCellConforms(t *testing.T) {
	t.Parallel()
	for _, n := range []credential.Name{workspace, credential.ForServer(server)} {
		kindtest.Run(t, func(*testing.T) kindtest.Case {
			cell := rotatetest.NewCell(clock.NewFake(time.Now()).Now)
			cell.Owners[n.Owner()] = map[int32]*rotatetest.Login{}
			return kindtest.Case{
				Driver: cell.Driver(nil), Credential: n, First: 2,
				Use: func(s generation.Secret) func() {
					if err := cell.Open(n.Owner(), 2, s.Password.Reveal()); err != nil {
						t.Error(err)
					}
					return func() { cell.Close(n.Owner(), 2) }
				},
				Break: func() { cell.Broken = status.Error(codes.Unavailable, "away") },
				Mend:  func() { cell.Broken = nil },
			}
		})
	}
}
