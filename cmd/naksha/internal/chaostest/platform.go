package chaostest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/seal"
)

// Platform is `naksha up` as a process of its own. Its state directory and its ports outlive the process.
type Platform struct {
	Dir       string // state directory
	Endpoints up.Endpoints

	binary  string
	args    []string
	ports   map[string]int
	logs    string // folder with what it printed and logged
	process *os.Process
	done    chan struct{} // closed when the process has ended
}

// startTime bounds a start; `naksha up` gives up by itself before.
const startTime = 10 * time.Minute

// fileSaid is what the process prints to, among its logs.
const fileSaid = "up.log"

// portNames are the platform's listeners, as its flags call them.
var portNames = [...]string{
	"gateway", "nats", "platform", "cell", "s3-primary", "s3-primary-iam", "s3-dr", "s3-dr-iam", "alerting", "admin",
}

// NewPlatform describes a platform on the state directory dir; args are further flags of `naksha up`. It is not started.
// At the end of the test whatever runs there is killed.
func NewPlatform(t testing.TB, binary, dir string, args ...string) *Platform {
	t.Helper()
	p := &Platform{Dir: dir, binary: binary, ports: map[string]int{}, logs: localtest.TempDir(t)}
	p.args = append([]string{"up", "--dir", dir, "--log", filepath.Join(p.logs, up.LogFile)}, args...)
	free, err := local.LastingPorts(len(portNames))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range portNames {
		p.ports[name] = free[i]
		p.args = append(p.args, "--"+name+"-port", strconv.Itoa(free[i]))
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
		defer cancel()
		if err := p.Kill(ctx); err != nil {
			t.Errorf("end of the platform: %v", err)
		}
		if t.Failed() {
			t.Logf("the platform's last words:\n%s", p.LastWords(8))
		}
	})
	return p
}

// Start runs the process and returns when the platform is ready.
func (p *Platform) Start(ctx context.Context) error {
	ctx, cancel := bounded(ctx, startTime, "the platform's start")
	defer cancel()
	if err := p.spawn(); err != nil {
		return fmt.Errorf("start %s: %w", p.binary, err)
	}
	return until(ctx, func() error {
		select {
		case <-p.done:
			cancel()
			return fmt.Errorf("the platform ended while starting:\n%s", p.LastWords(10))
		default:
		}
		at, err := up.ReadEndpoints(p.Dir)
		if err == nil && at.PID != p.process.Pid {
			err = errors.New("the platform has not said where it answers")
		}
		p.Endpoints = at
		return err
	})
}

// spawn starts the process. The kernel ends it when the thread that started it ends, so a thread is kept for it: a test
// that is killed leaves no platform behind.
func (p *Platform) spawn() error {
	said, err := os.OpenFile(filepath.Join(p.logs, fileSaid), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer said.Close()
	cmd := exec.Command(p.binary, p.args...)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started, done := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.process, p.done = cmd.Process, done
	return nil
}

// Running says whether the process is alive.
func (p *Platform) Running() bool {
	if p.process == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Kill ends the process and everything that it started, without a word, and returns when all have ended: whoever lives a
// little longer may still write into the state directory.
func (p *Platform) Kill(ctx context.Context) error {
	var started []int
	if p.Running() {
		var err error
		if started, err = everything(p); err != nil {
			return fmt.Errorf("kill the platform: %w", err)
		}
		for _, pid := range started {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended since
		}
		<-p.done
	}
	if err := local.KillLeftovers(ctx, p.Dir); err != nil {
		return err
	}
	return until(ctx, func() error { return ended(started) })
}

// Ready asks the platform whether it can do its work, and says why not.
func (p *Platform) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Endpoints.Admin+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("not ready: %s", bytes.TrimSpace(text))
	}
	return err
}

// AwaitReady waits until the platform can do its work.
func (p *Platform) AwaitReady(ctx context.Context, limit time.Duration) error {
	ctx, cancel := bounded(ctx, limit, "the platform's return")
	defer cancel()
	return until(ctx, func() error { return p.Ready(ctx) })
}

// LastWords are the last lines that the process printed, or logged as more than information.
func (p *Platform) LastWords(lines int) string {
	var words []string
	for _, name := range []string{fileSaid, up.LogFile} {
		content, _ := os.ReadFile(filepath.Join(p.logs, name))
		all := strings.Split(strings.TrimSpace(string(content)), "\n")
		all = slices.DeleteFunc(all, func(line string) bool { return strings.Contains(line, `"level":"INFO"`) })
		words = append(words, all[max(0, len(all)-lines):]...)
	}
	return strings.Join(words, "\n")
}

// DatabaseURL is the platform database as its superuser sees it.
func (p *Platform) DatabaseURL() (string, error) {
	root, err := seal.ReadRoot(filepath.Join(p.Dir, "root.key"))
	if err != nil {
		return "", err
	}
	password := base64.RawURLEncoding.EncodeToString(root.Key("up/password/postgres/platform"))
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/naksha?sslmode=verify-ca&sslrootcert=%s",
		password, p.ports["platform"], p.Endpoints.CAFile), nil
}
