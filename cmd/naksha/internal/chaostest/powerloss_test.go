package chaostest_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/chaostest"
	"github.com/naksha-cloud/naksha/cmd/naksha/internal/chaostest/forgetfs"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// forgetful returns a folder on a forgetful file system, on which each server has a disk of its own.
func forgetful(t *testing.T) (*forgetfs.FS, string) {
	t.Helper()
	if why := forgetfs.Unavailable(); why != "" {
		t.Skip(why)
	}
	dir := localtest.TempDir(t)
	at, backing := filepath.Join(dir, "at"), filepath.Join(dir, "backing")
	if err := errors.Join(os.Mkdir(at, 0o711), os.Mkdir(backing, 0o711)); err != nil {
		t.Fatal(err)
	}
	disk, err := forgetfs.Mount(at, backing,
		"state/nats", "state/postgres/platform", "state/postgres/cell1", "state/s3/primary", "state/s3/dr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := disk.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return disk, filepath.Join(at, "state")
}

func TestPowerLossLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	chance := localtest.Seed(t)
	disk, dir := forgetful(t)
	trial := chaostest.Begin(t, chaostest.NewPlatform(t, programs.Naksha(t), dir), chance)
	for range localtest.Rounds(1, 20) {
		survive(t, trial, func() (string, error) { return trial.PowerLoss(t.Context(), disk.PowerLoss) })
	}
	finish(t, trial)
}
