package postgres_test

import (
	"context"
	"os"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/kindtest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

func TestWorkspaceLoginConforms(t *testing.T) {
	t.Parallel()
	kindtest.Run(t, func(t *testing.T) kindtest.Case {
		cell := celltest.New(t)
		return conforming(t, cell, credential.ForWorkspace(cell.AddWorkspace(t).Name), 2)
	})
}

func TestBackupReaderConforms(t *testing.T) {
	t.Parallel()
	kindtest.Run(t, func(t *testing.T) kindtest.Case {
		cell := celltest.New(t)
		return conforming(t, cell, credential.ForServer(cell.Server), 1)
	})
}

func conforming(t *testing.T, cell *celltest.Cell, n credential.Name, first int32) kindtest.Case {
	t.Helper()
	role := cell.Role(n.Owner(), first)
	return kindtest.Case{
		Driver: postgres.New(cell.Client(t), postgres.Dial), Credential: n, First: first,
		Use: func(s generation.Secret) func() {
			conn, err := cell.Login(t.Context(), role, s.Password)
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				_ = conn.Close(context.WithoutCancel(t.Context())) // the server may have ended it
				cell.AwaitSessions(t, role, 0)
			}
		},
		Break: func() { cell.Fail(status.Error(codes.Unavailable, "away")) },
		Mend:  func() { cell.Fail(nil) },
	}
}

func TestNewGenerationReadsWhatTheOldOneMade(t *testing.T) {
	t.Parallel()
	cell := celltest.New(t)
	w := cell.AddWorkspace(t)
	one, err := cell.Login(t.Context(), cell.Role(w.Name, 1), w.Password)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close(context.WithoutCancel(t.Context()))
	if _, err := one.Exec(t.Context(), "CREATE TABLE city (name text); INSERT INTO city VALUES ('Pune')"); err != nil {
		t.Fatal(err)
	}
	c := conforming(t, cell, credential.ForWorkspace(w.Name), 2)
	s := install(t, c)
	two, err := cell.Login(t.Context(), cell.Role(w.Name, 2), s.Password)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close(context.WithoutCancel(t.Context()))
	var name string
	if err := two.QueryRow(t.Context(), "SELECT name FROM city").Scan(&name); err != nil || name != "Pune" {
		t.Errorf("generation 2 reads %q, %v", name, err)
	}
}
