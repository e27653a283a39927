// Package support collects what somebody who helps from afar needs to know of a platform: versions, configuration,
// status, recent logs, metrics, goroutines. It owns the promise that no secret of the state directory leaves with it, and
// no customer's row is looked at.
package support

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

// logLimit is how much of the end of each log is taken, in bytes.
const logLimit = 4 << 20

// pageLimit bounds one page of the running platform, in bytes.
const pageLimit = 16 << 20

// Bundle is a platform to be described.
type Bundle struct {
	Dir     string // its state directory
	Version string // of this program
}

// entry is one file of the bundle.
type entry struct {
	name string
	read func(ctx context.Context) ([]byte, error)
}

// Write writes the bundle as a .tar.gz. What cannot be read is named in missing.txt: a platform that is broken or stopped
// is what bundles are made of.
func (b Bundle) Write(ctx context.Context, to io.Writer) error {
	redact, err := newRedactor(b.Dir)
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(to)
	archive := tar.NewWriter(packed)
	now, missing := time.Now().UTC(), ""
	add := func(name string, content []byte) error {
		content = redact.clean(content)
		head := &tar.Header{Name: "naksha-support/" + name, Mode: 0o600, Size: int64(len(content)), ModTime: now, Format: tar.FormatPAX}
		if err := archive.WriteHeader(head); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	}
	for _, e := range b.entries() {
		content, err := e.read(ctx)
		if err != nil {
			missing += fmt.Sprintf("%s: %v\n", e.name, err)
			continue
		}
		if err := add(e.name, content); err != nil {
			return fmt.Errorf("write %s: %w", e.name, err)
		}
	}
	if err := add("missing.txt", []byte(missing)); err != nil {
		return fmt.Errorf("write missing.txt: %w", err)
	}
	return errors.Join(archive.Close(), packed.Close())
}

func (b Bundle) entries() []entry {
	all := []entry{
		{"versions.json", b.versions},
		{"doctor.json", func(ctx context.Context) ([]byte, error) { return asJSON(up.Examine(ctx, b.Dir)) }},
		{"folders.json", func(context.Context) ([]byte, error) { return sizes(b.Dir) }},
		{"endpoints.json", b.file("endpoints.json")},
	}
	for _, pattern := range []string{"configuration/*.yaml", "*.log*", serverLogs, "postgres/*/data/naksha.conf", "s3/*/*.log*"} {
		found, _ := filepath.Glob(filepath.Join(b.Dir, pattern))
		for _, path := range found {
			name, err := filepath.Rel(b.Dir, path)
			if err != nil {
				continue
			}
			read := b.file(name)
			if pattern == serverLogs {
				read = b.serverLog(name)
			}
			all = append(all, entry{"state/" + name, read})
		}
	}
	e, err := up.ReadEndpoints(b.Dir)
	if err != nil {
		return all
	}
	all = append(all, entry{"readyz.txt", page(e.Admin + "/readyz?verbose")}, entry{"log-levels.json", page(e.Admin + "/loglevel")},
		entry{"metrics.txt", page(e.Admin + "/metrics")}, entry{"goroutines/up.txt", page(e.Admin + "/debug/pprof/goroutine?debug=2")})
	for name, admin := range e.Admins {
		all = append(all, entry{"goroutines/" + name + ".txt", page(admin + "/debug/pprof/goroutine?debug=2")})
	}
	return append(all, entry{"processes.txt", func(context.Context) ([]byte, error) { return processes(e) }})
}

// versions say what runs: this program, what it was built from, and the machine.
func (b Bundle) versions(context.Context) ([]byte, error) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	system, _ := os.ReadFile("/etc/os-release")
	modules := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			modules[m.Path] = m.Version
		}
	}
	return asJSON(map[string]any{
		"naksha": b.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "cpus": runtime.NumCPU(),
		"kernel": strings.TrimSpace(string(kernel)), "system": strings.Split(strings.TrimSpace(string(system)), "\n"),
		"modules": modules, "time": time.Now().UTC(),
	})
}

// file reads the end of a file of the state directory.
func (b Bundle) file(name string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		f, err := os.Open(filepath.Join(b.Dir, name))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Size() > logLimit {
			if _, err := f.Seek(-logLimit, io.SeekEnd); err != nil {
				return nil, err
			}
		}
		return io.ReadAll(io.LimitReader(f, logLimit))
	}
}

// page fetches a page of the running platform.
func page(address string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		reply, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer reply.Body.Close()
		return io.ReadAll(io.LimitReader(reply.Body, pageLimit))
	}
}

// processes shows what the kernel says of each process (proc(5), status), memory first of all.
func processes(e up.Endpoints) ([]byte, error) {
	var b strings.Builder
	pids := map[string]int{"up": e.PID}
	for name, pid := range e.Processes {
		pids[name] = pid
	}
	names := make([]string, 0, len(pids))
	for name := range pids {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pids[name]))
		fmt.Fprintf(&b, "== %s, process %d\n%s", name, pids[name], status)
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	return []byte(b.String()), nil
}

// sizes are the bytes below each entry of the state directory.
func sizes(dir string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, e := range entries {
		all[e.Name()] = up.SizeOf(filepath.Join(dir, e.Name()))
	}
	return asJSON(all)
}

func asJSON(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
