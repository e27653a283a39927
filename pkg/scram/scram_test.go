package scram_test

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/scram"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

func TestPostgresAcceptsThePasswordOfTheVerifierAndNoOther(t *testing.T) {
	t.Parallel()
	password := scram.Password()
	verifier, err := scram.Verifier(password)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := pgx.Connect(t.Context(), localtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(t.Context(), "CREATE ROLE scram_test LOGIN PASSWORD '"+verifier+"'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP ROLE scram_test"); err != nil {
			t.Error(err)
		}
		_ = admin.Close(context.Background())
	})
	for attempt, works := range map[string]bool{password: true, scram.Password(): false} {
		u, err := url.Parse(admin.Config().ConnString())
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("scram_test", attempt)
		conn, err := pgx.Connect(t.Context(), u.String())
		if (err == nil) != works {
			t.Errorf("right password %t: %v", works, err)
		}
		if conn != nil {
			_ = conn.Close(t.Context())
		}
	}
}

func TestPasswordsAreUnlikeEachOtherAndNeedNoQuoting(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		p := scram.Password()
		if len(p) != 43 || strings.Trim(p, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" || seen[p] {
			t.Fatalf("password %q", p)
		}
		seen[p] = true
	}
	if _, err := scram.Verifier("pässword"); err == nil {
		t.Error("accepted a password that SASLprep would change")
	}
}
