package up

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// StopOrphans stops what a killed run left in a state directory, and says how many services and servers that were. A folder
// that is no state directory is refused.
func StopOrphans(ctx context.Context, dir string) (stopped int, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return 0, fmt.Errorf("state directory: %w", err)
	}
	if err := (&state{dir: dir}).readFormat(); err != nil {
		return 0, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return 0, err
	}
	defer local.Unlock(lock)
	return endOrphans(ctx, dir, nil)
}

// endOrphans ends what a killed run left behind: services, regions, Postgres servers. The directory is locked by us.
func endOrphans(ctx context.Context, dir string, log *slog.Logger) (stopped int, err error) {
	left := []struct {
		stop  func(ctx context.Context, path string, log *slog.Logger) (found bool, err error)
		paths string
	}{
		{local.StopProgramOrphan, filepath.Join(dir, dirRun, "*.json")},
		{local.StopRegionOrphan, filepath.Join(dir, "s3", "*")},
		{local.StopPostgresOrphan, filepath.Join(dir, "postgres", "*")},
	}
	for _, kind := range left {
		paths, _ := filepath.Glob(kind.paths)
		for _, path := range paths {
			found, err := kind.stop(ctx, path, log)
			if err != nil {
				return stopped, err
			}
			if found {
				stopped++
			}
		}
	}
	return stopped, nil
}

// endOrphans frees the ports of a killed run before anybody looks at them: some end by themselves, but not at once.
func (p *Platform) endOrphans(ctx context.Context) error {
	_, err := endOrphans(ctx, p.config.Dir, p.log("up"))
	return err
}
