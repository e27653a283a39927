package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/iam"
)

const (
	// S3Region is the region name that clients sign with, whatever the Region's own name; AWS's default, which
	// clients assume when none is configured.
	S3Region = "us-east-1"
	// healthPath cannot be a bucket: those have three characters or more.
	healthPath = "/-"
	// regionPatience is how long a region may take to finish its requests before it is killed.
	regionPatience = 15 * time.Second
	// regionNote is the file that names the child for a run that comes after it was killed.
	regionNote = "run.json"
)

// RegionConfig describes one S3 region.
type RegionConfig struct {
	// Name of the region in logs, such as "primary" or "dr".
	Name string
	// Dir is the state folder: objects, older versions, users and keys, log. Its file system needs extended attributes.
	Dir string
	// Host to listen on; default 127.0.0.1.
	Host string
	// Port of S3 and IAMPort of the IAM API; 0 picks a free one.
	Port, IAMPort int
	// RootAccess and RootSecret may do everything, on both.
	RootAccess, RootSecret string
	// SealKey, 32 bytes, keeps users' secrets unreadable at rest. The folder opens under the key that it was made with.
	SealKey []byte
	// Log receives what an operator would want to know; nil discards it.
	Log *slog.Logger
}

// Region is a running S3 region: a child process of this binary, since the storage engine changes the working
// directory of its process. It ends with this process, however that ends.
type Region struct {
	config  RegionConfig
	dir     string
	lock    *os.File
	log     *slog.Logger
	process process
	leash   io.Closer // the child ends when this pipe closes
	done    chan struct{}
	stop    sync.Mutex // one Stop at a time
}

// regionOrder is what the child reads from its standard input, so that no secret is on a command line or in an
// environment.
type regionOrder struct {
	Dir, Address, IAMAddress string
	RootAccess, RootSecret   string
	SealKey                  []byte
}

// StartRegion starts a region and returns when it answers. The running program must call ChildMain first in main (in
// tests: in TestMain). A region that a killed run left behind is stopped first.
func StartRegion(ctx context.Context, c RegionConfig) (_ *Region, err error) {
	if c.Dir == "" || c.RootAccess == "" || c.RootSecret == "" || len(c.SealKey) != iam.KeySize {
		return nil, fmt.Errorf("start S3 region: Dir, RootAccess, RootSecret and a SealKey of %d bytes are required", iam.KeySize)
	}
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	dir, err := stateFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	r := &Region{config: c, dir: dir, lock: lock, log: orDiscard(c.Log)}
	if err := r.startAnywhere(ctx); err != nil {
		return nil, fmt.Errorf("start S3 region %s in %s: %w", c.Name, dir, errors.Join(err, r.Kill()))
	}
	r.log.InfoContext(ctx, "s3 region started", "region", c.Name, "endpoint", r.Endpoint(), "iam_endpoint", r.IAMEndpoint(), "pid", r.PID())
	return r, nil
}

// freeTries is how often free ports are picked: another process may take one before the child does.
const freeTries = 5

// errEnded says that the child ended while it was waited for.
var errEnded = errors.New("the child process ended at once")

// startAnywhere starts the region, on other free ports where those that were picked are taken meanwhile.
func (r *Region) startAnywhere(ctx context.Context) error {
	wanted := r.config
	for try := 1; ; try++ {
		err := r.start(ctx)
		fixed := wanted.Port != 0 && wanted.IAMPort != 0
		if !errors.Is(err, errEnded) || fixed || try == freeTries {
			return err
		}
		_ = r.leash.Close() // of a child that is gone
		r.config = wanted
	}
}

func (r *Region) start(ctx context.Context) error {
	if _, err := StopRegionOrphan(ctx, r.dir, r.log); err != nil {
		return err
	}
	var err error
	if r.config.Port, err = portOrFree(r.config.Host, r.config.Port, "the port setting of this S3 region"); err != nil {
		return err
	}
	if r.config.IAMPort, err = portOrFree(r.config.Host, r.config.IAMPort, "the IAM port setting of this S3 region"); err != nil {
		return err
	}
	log, err := openLog(r.file("region.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	offset, _ := log.Seek(0, io.SeekEnd)
	if err := r.spawn(log); err != nil {
		return err
	}
	return r.awaitReady(ctx, log, offset)
}

// spawn starts the child, gives it its order and notes which process it is.
func (r *Region) spawn(log *os.File) error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(executable)
	cmd.Dir, cmd.Env = r.dir, append(environment(), regionMarker+"=1")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for us
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", executable, err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in the log; that it ended is what callers wait for
		close(done)
	}()
	r.leash, r.done = stdin, done
	if r.process, err = findProcess(cmd.Process.Pid); err != nil {
		return err
	}
	if err := r.note(); err != nil {
		return err
	}
	return json.NewEncoder(stdin).Encode(regionOrder{
		Dir: r.dir, Address: r.address(r.config.Port), IAMAddress: r.address(r.config.IAMPort),
		RootAccess: r.config.RootAccess, RootSecret: r.config.RootSecret, SealKey: r.config.SealKey,
	})
}

// note writes down the child's identity for the next start.
func (r *Region) note() error {
	content, err := json.Marshal(r.process)
	if err != nil {
		return err
	}
	return os.WriteFile(r.file(regionNote), content, 0o600)
}

// StopRegionOrphan ends the child that a killed run left on a state folder, and says whether there was one. It goes by
// itself, but not before it has finished its requests. The caller holds a lock on the folder, or on one above it.
func StopRegionOrphan(ctx context.Context, dir string, log *slog.Logger) (found bool, err error) {
	return stopNoted(ctx, filepath.Join(dir, regionNote), regionPatience, log)
}

// awaitReady waits until both listeners answer.
func (r *Region) awaitReady(ctx context.Context, log *os.File, offset int64) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ended := false
	err := poll(ctx, func() bool {
		select {
		case <-r.done:
			ended = true
		default:
		}
		return ended || listens(r.PID(), r.config.Port) && listens(r.PID(), r.config.IAMPort) &&
			answers(client, r.Endpoint()) && answers(client, r.IAMEndpoint())
	})
	if !ended {
		return err
	}
	out, _ := io.ReadAll(io.NewSectionReader(log, offset, 1<<20))
	return fmt.Errorf("%w: %s (log: %s)", errEnded, lastLine(out), log.Name())
}

func answers(client *http.Client, endpoint string) bool {
	response, err := client.Get(endpoint + healthPath)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
