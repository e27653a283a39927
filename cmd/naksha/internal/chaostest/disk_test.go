package chaostest_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/chaostest"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// sick is how long a disk stays full, or fails, or a broker is away.
func sick() time.Duration { return time.Duration(localtest.Rounds(4, 60)) * time.Second }

func TestFullDiskIsReportedAndTheServersGoOnOnceThereIsSpace(t *testing.T) {
	t.Parallel()
	chance, disk := localtest.Seed(t), localtest.Disk(t, 1<<30)
	trial := chaostest.Begin(t, chaostest.NewPlatform(t, programs.Naksha(t), filepath.Join(disk.Dir, "state")), chance)
	told, err := trial.Sickness(t.Context(), chaostest.Sickness{
		Name: "full disk", Long: sick(), Strike: disk.Fill, Heal: disk.Free,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(told)
	finish(t, trial)
}

func TestFailingDiskIsReportedAndTheServersGoOnOnceItWorks(t *testing.T) {
	t.Parallel()
	chance := localtest.Seed(t)
	disk, dir := forgetful(t)
	trial := chaostest.Begin(t, chaostest.NewPlatform(t, programs.Naksha(t), dir), chance)
	for _, server := range []string{"state/nats/", "state/postgres/platform/", "state/s3/primary/"} {
		fail := func(op, path string) syscall.Errno {
			if op != "name" && strings.HasPrefix(path, server) {
				return syscall.EIO
			}
			return 0
		}
		told, err := trial.Sickness(t.Context(), chaostest.Sickness{
			Name: "disk of " + server, Long: sick(),
			Strike: func() error { disk.Fail(fail); return nil },
			Heal:   func() error { disk.Fail(nil); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(told)
	}
	finish(t, trial)
}

func TestBrokerOutOfReachStopsNoOrdersAndTheirFactsArriveAfterwards(t *testing.T) {
	t.Parallel()
	chance, broker := localtest.Seed(t), localtest.NATS(t)
	proxy, err := chaostest.NewProxy(strings.TrimPrefix(broker.URL(), "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	p := chaostest.NewPlatform(t, programs.Naksha(t), filepath.Join(localtest.TempDir(t), "state"),
		"--nats-url", "nats://"+proxy.Address(), "--nats-passwords", passwords(t))
	trial := chaostest.Begin(t, p, chance)
	told, err := trial.Sickness(t.Context(), chaostest.Sickness{
		Name: "broker out of reach", Long: sick(), Strike: proxy.Cut, Heal: proxy.Join, Serves: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(told)
	finish(t, trial)
}

// passwords is a file with those of the users of localtest.NATS.
func passwords(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for _, user := range localtest.Permissions(t).Users() {
		text.WriteString(user + ": " + user + "\n")
	}
	path := filepath.Join(localtest.TempDir(t), "passwords.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
