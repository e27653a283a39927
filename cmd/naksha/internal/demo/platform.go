package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// platform is `naksha up` as a child process.
type platform struct {
	binary    string
	state     string // its state directory
	log       string // file with what it says
	args      []string
	process   *os.Process
	done      chan struct{} // closed when the process has ended
	endpoints endpoints
}

// endpoints are what an operator reads in endpoints.json of the state directory.
type endpoints struct {
	Gateway      string `json:"gateway"`
	CAFile       string `json:"ca_file"`
	AdminKeyFile string `json:"admin_key_file"`
	NATS         string `json:"nats"`
	Alerting     string `json:"alerting"`
	PID          int    `json:"pid"`
}

// portFlags are the ports that the demo chooses, so that the second start has those of the first.
var portFlags = [...]string{
	"--gateway-port", "--nats-port", "--platform-port", "--cell-port", "--s3-primary-port", "--s3-primary-iam-port",
	"--s3-dr-port", "--s3-dr-iam-port", "--alerting-port", "--admin-port",
}

func newPlatform(binary, root, alerting string) (*platform, error) {
	p := &platform{binary: binary, state: filepath.Join(root, "state"), log: filepath.Join(root, "up.log")}
	p.args = []string{"up", "--dir", p.state, "--alerting-config", alerting}
	ports, err := local.LastingPorts(len(portFlags))
	if err != nil {
		return nil, err
	}
	for i, flag := range portFlags {
		p.args = append(p.args, flag, strconv.Itoa(ports[i]))
	}
	return p, nil
}

// start runs `naksha up` and returns when it says where it answers.
func (p *platform) start(ctx context.Context) error {
	if err := p.spawn(); err != nil {
		return fmt.Errorf("start %s up: %w", p.binary, err)
	}
	ready := func() (bool, error) {
		select {
		case <-p.done:
			return false, fmt.Errorf("`naksha up` ended: %s", p.lastWords())
		default:
			return p.readEndpoints(), nil
		}
	}
	if err := until(ctx, 20*time.Millisecond, ready); err != nil {
		return fmt.Errorf("wait for the platform: %w", err)
	}
	return nil
}

// spawn starts the process. The kernel ends it when the thread that started it ends, so a thread is kept for it: a
// demo that is killed leaves no platform behind.
func (p *platform) spawn() error {
	log, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.binary, p.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	p.done = make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.process = cmd.Process
	return nil
}

// readEndpoints is true once the file was written by our process.
func (p *platform) readEndpoints() bool {
	content, err := os.ReadFile(filepath.Join(p.state, "endpoints.json"))
	if err != nil || json.Unmarshal(content, &p.endpoints) != nil {
		return false
	}
	return p.endpoints.PID == p.process.Pid
}

// lastWords are the last lines of the log.
func (p *platform) lastWords() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-3):], []byte(" | ")))
}

// running says whether the process is alive.
func (p *platform) running() bool {
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

// kill ends the process as a power cut would, without a word.
func (p *platform) kill() error {
	if err := p.process.Kill(); err != nil {
		return fmt.Errorf("kill the platform: %w", err)
	}
	<-p.done
	return nil
}

// stop ends it in order, and whatever a killed one left behind.
func (p *platform) stop(ctx context.Context) error {
	if p.running() {
		_ = p.process.Signal(syscall.SIGTERM) // it may have ended since
		select {
		case <-p.done:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("stop the platform: %w", context.Cause(ctx)), p.kill())
		}
	}
	return local.KillLeftovers(ctx, p.state)
}

// region returns the process of an S3 region, as its note in the state directory names it.
func (p *platform) region(name string) (int, error) {
	content, err := os.ReadFile(filepath.Join(p.state, "s3", name, "run.json"))
	var note struct {
		PID int `json:"pid"`
	}
	if err == nil {
		err = json.Unmarshal(content, &note)
	}
	if err == nil && note.PID <= 1 {
		err = errors.New("no process id")
	}
	if err != nil {
		return 0, fmt.Errorf("find region %s: %w", name, err)
	}
	return note.PID, nil
}

// pause stops a region's process where it stands: it answers nobody until resume, which may be called twice.
func (p *platform) pause(name string) (resume func(), err error) {
	pid, err := p.region(name)
	if err != nil {
		return nil, err
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, fmt.Errorf("stop region %s: %w", name, err)
	}
	var resumed atomic.Bool
	return func() {
		if resumed.CompareAndSwap(false, true) {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}, nil
}

// secret reads a file with one secret.
func (p *platform) secret(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(content)), nil
}
