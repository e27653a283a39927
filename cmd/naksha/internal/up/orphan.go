package up

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// StopOrphans stops what a killed run left in a state directory, and says how many Postgres servers that were. A folder
// that is no state directory is refused.
func StopOrphans(ctx context.Context, dir string) (servers int, err error) {
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
	return killOrphans(ctx, dir)
}

// killOrphans ends what a killed run left behind; the directory is locked by us.
func killOrphans(ctx context.Context, dir string) (servers int, err error) {
	notes, _ := filepath.Glob(filepath.Join(dir, dirRun, "*.json"))
	for _, note := range notes {
		if err := local.KillNoted(ctx, note, nil); err != nil {
			return 0, err
		}
	}
	return endServers(ctx, dir, nil)
}

// endServers ends the private servers of a killed run. Regions end by themselves, but not at once; Postgres servers do not.
func endServers(ctx context.Context, dir string, log *slog.Logger) (servers int, err error) {
	for _, name := range []string{"primary", "dr"} {
		if err := local.KillNoted(ctx, filepath.Join(dir, "s3", name, "run.json"), log); err != nil {
			return 0, err
		}
	}
	for _, name := range []string{"platform", cellName} {
		found, err := local.StopOrphan(ctx, filepath.Join(dir, "postgres", name), log)
		if err != nil {
			return servers, err
		}
		if found {
			servers++
		}
	}
	return servers, nil
}

// endServers frees the ports of a killed run before anybody looks at them.
func (p *Platform) endServers(ctx context.Context) error {
	_, err := endServers(ctx, p.config.Dir, p.log("up"))
	return err
}
