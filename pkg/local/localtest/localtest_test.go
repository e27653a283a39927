package localtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Run(m, WithSetting("work_mem", "5MB"))) }

func TestDatabasesAreApartAndGoneAtTheEnd(t *testing.T) {
	t.Parallel()
	var first, second string
	t.Run("two databases", func(t *testing.T) {
		first, second = Database(t), Database(t)
		for _, url := range []string{first, second} {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			// It stays open: the end of the test must not wait for it.
			t.Cleanup(func() { conn.Close(context.Background()) })
			if _, err := conn.Exec(t.Context(), "CREATE TABLE same_name ()"); err != nil {
				t.Error(err)
			}
		}
	})
	for _, url := range []string{first, second} {
		if conn, err := pgx.Connect(t.Context(), url); err == nil {
			conn.Close(t.Context())
			t.Errorf("%s is still there", url)
		}
	}
}

func TestSharedClusterTakesSettings(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), Postgres(t).SuperuserURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var got string
	if err := conn.QueryRow(t.Context(), "SELECT current_setting('work_mem')").Scan(&got); err != nil || got != "5MB" {
		t.Errorf("work_mem %q, %v", got, err)
	}
}

func TestBusAndRegionComeUp(t *testing.T) {
	t.Parallel()
	if err := NATS(t).Healthy(); err != nil {
		t.Error(err)
	}
	if got := Region(t, "dr").Name(); got != "dr" {
		t.Errorf("region %q", got)
	}
}

func TestLeftoversOfDeadRunsAreSwept(t *testing.T) {
	t.Parallel()
	dead := exec.Command(os.Args[0], "-test.run=^$")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	leftover := filepath.Join(os.TempDir(), fmt.Sprintf("nk-%d-leftover", dead.Process.Pid))
	if err := os.MkdirAll(leftover, 0o711); err != nil {
		t.Fatal(err)
	}
	ours := TempDir(t)
	sweep()
	if _, err := os.Stat(leftover); !os.IsNotExist(err) {
		t.Errorf("the leftover is still there: %v", err)
	}
	if info, err := os.Stat(ours); err != nil || info.Mode().Perm() != 0o711 {
		t.Errorf("our own folder: %v, %v", info, err)
	}
}
