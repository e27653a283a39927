package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/seal"
)

// Check is one thing that `naksha doctor` looked at.
type Check struct {
	Name  string
	Found string // what is there
	Err   error  // what is wrong, with the remedy
}

// MarshalJSON writes the error as text.
func (c Check) MarshalJSON() ([]byte, error) {
	out := map[string]any{"name": c.Name, "ok": c.Err == nil, "found": c.Found}
	if c.Err != nil {
		out["error"] = c.Err.Error()
	}
	return json.Marshal(out)
}

// Examine looks at what a platform in dir needs on this machine, and at the one that runs there. It changes nothing.
func Examine(ctx context.Context, dir string) []Check {
	checks := []Check{postgresBinaries(), freeSpace(dir), rootKey(dir)}
	pid, err := Running(dir)
	if err != nil || pid == 0 {
		return append(checks, Check{Name: "platform", Found: "not running in " + dir, Err: err})
	}
	checks = append(checks, Check{Name: "platform", Found: fmt.Sprintf("process %d runs in %s", pid, dir)})
	return append(checks, readiness(ctx, dir))
}

func postgresBinaries() Check {
	b, err := local.FindPostgres()
	return Check{Name: "PostgreSQL", Found: b.Version + " in " + b.Dir, Err: err}
}

// leastSpace is what a platform with a few small workspaces needs, in bytes; firstSpace what empty servers take.
const leastSpace, firstSpace = 2 << 30, 256 << 20

// checkSpace refuses a first start for which there is no room: initdb would fail in its middle.
func (p *Platform) checkSpace(context.Context) error {
	servers := slices.DeleteFunc(p.privateServers(), func(s private) bool { return len(s.holds) == 0 })
	if len(servers) == 0 {
		return nil
	}
	for _, server := range servers {
		if lost, err := server.lost(); err != nil || !lost { // not the first
			return err
		}
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(p.config.Dir, &s); err != nil || s.Blocks == 0 { // some file systems do not tell
		return nil //nolint:nilerr // the servers find out
	}
	if free := s.Bavail * uint64(s.Bsize); free < firstSpace {
		return fmt.Errorf("%d MB free below %s: a first start needs %d MB: free some, or choose another disk with --dir",
			free>>20, p.config.Dir, firstSpace>>20)
	}
	return nil
}

func freeSpace(dir string) Check {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	free := s.Bavail * uint64(s.Bsize)
	if err == nil && free < leastSpace {
		err = fmt.Errorf("%d MB free below %s: at least %d MB are needed: free some, or choose another disk with --dir",
			free>>20, dir, leastSpace>>20)
	}
	return Check{Name: "disk", Found: fmt.Sprintf("%d GB free below %s", free>>30, dir), Err: err}
}

func rootKey(dir string) Check {
	path := filepath.Join(dir, fileRootKey)
	_, err := seal.ReadRoot(path)
	if errors.Is(err, os.ErrNotExist) {
		return Check{Name: "root key", Found: "none yet: made by the first `naksha up`"}
	}
	return Check{Name: "root key", Found: path + ": keep a copy elsewhere", Err: err}
}

// readiness asks the running platform itself.
func readiness(ctx context.Context, dir string) Check {
	check := Check{Name: "services"}
	e, err := ReadEndpoints(dir)
	if err != nil {
		check.Err = err
		return check
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Admin+"/readyz?verbose", nil)
	if err != nil {
		check.Err = err
		return check
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		check.Err = fmt.Errorf("the admin listener does not answer: %w: see %s", err, filepath.Join(dir, LogFile))
		return check
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, 64<<10))
	if check.Err = err; err == nil && reply.StatusCode != http.StatusOK {
		check.Err = fmt.Errorf("not ready:\n%s", text)
	}
	check.Found = "all ready"
	return check
}
