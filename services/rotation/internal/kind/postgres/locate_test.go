package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/kindtest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
)

func install(t *testing.T, c kindtest.Case) generation.Secret {
	t.Helper()
	target := rotate.Target{Credential: c.Credential, Generation: c.First}
	s, err := c.Driver.Mint(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Driver.Install(t.Context(), target, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLocatedURLLogsIn(t *testing.T) {
	t.Parallel()
	cell := celltest.New(t)
	n := credential.ForWorkspace(cell.AddWorkspace(t).Name)
	s := install(t, conforming(t, cell, n, 2))
	user, url, err := postgres.New(cell.Client(t), postgres.Dial).Locate(t.Context(), n, 2, s)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if want := cell.Role(n.Owner(), 2); user != want {
		t.Errorf("user %q, want %q", user, want)
	}
}
