package endtoend

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// freePorts are flags that let every listener pick a port.
func freePorts() (flags []string) {
	for _, name := range []string{
		"gateway", "nats", "platform", "cell", "s3-primary", "s3-primary-iam", "s3-dr", "s3-dr-iam", "alerting", "admin",
	} {
		flags = append(flags, "--"+name+"-port", "0")
	}
	return flags
}

// process is `naksha up` as a process of its own.
type process struct {
	*exec.Cmd
	ready time.Duration
	ended chan error
}

// launch starts the platform and returns when it says that it is ready.
func launch(t testing.TB, binary, dir string, flags ...string) *process {
	t.Helper()
	args := slices.Concat([]string{"up", "--dir", dir}, freePorts(), flags)
	p := &process{Cmd: exec.Command(binary, args...), ended: make(chan error, 1)}
	progress, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	said, ready := new(bytes.Buffer), make(chan bool, 1)
	go func() {
		for lines := bufio.NewScanner(progress); lines.Scan(); {
			fmt.Fprintln(said, lines.Text())
			if strings.Contains(lines.Text(), "is ready") {
				ready <- true
			}
		}
		ready <- false
		p.ended <- p.Wait()
	}()
	if !<-ready {
		t.Fatalf("the platform ended while starting:\n%s", said)
	}
	p.ready = time.Since(begin)
	return p
}

func TestKilledPlatformComesBackWithItsDataAndDownStopsIt(t *testing.T) {
	t.Parallel()
	binary, dir := build(t), filepath.Join(localtest.TempDir(t), "state")
	ports, err := local.LastingPorts(2)
	if err != nil {
		t.Fatal(err)
	}
	same := []string{"--cell-port", strconv.Itoa(ports[0]), "--s3-primary-port", strconv.Itoa(ports[1])}
	first := launch(t, binary, dir, same...)
	before := &world{dir: dir, endpoints: endpoints(t, dir)}
	leaked := before.adminKey(t)
	made, err := tenantv1.NewWorkspaceServiceClient(before.dial(t, leaked)).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-first.ended
	// Its Postgres servers are orphans now; the next start finds and stops them, before it looks for the ports.
	second := launch(t, binary, dir, append(same, "--new-admin-key")...)
	if held := resident(t, second.Process.Pid); held > 120 {
		t.Errorf("our process holds %.0f MB", held)
	}
	after := &world{dir: dir, endpoints: endpoints(t, dir)}
	_, err = tenantv1.NewWorkspaceServiceClient(after.dial(t, after.adminKey(t))).
		GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: made.GetWorkspace().GetName()})
	if err != nil {
		t.Errorf("after the kill: %v", err)
	}
	_, err = tenantv1.NewWorkspaceServiceClient(after.dial(t, leaked)).ListWorkspaces(t.Context(), &tenantv1.ListWorkspacesRequest{})
	if reason := fault.ReasonOf(err); reason != "KEY_REVOKED" {
		t.Errorf("the admin key that was replaced: reason %q, %v", reason, err)
	}
	if out, err := exec.Command(binary, "down", "--dir", dir).CombinedOutput(); err != nil {
		t.Errorf("down: %v\n%s", err, out)
	}
	if err := <-second.ended; err != nil {
		t.Errorf("the platform did not stop in order: %v", err)
	}
	noneLeft(t, dir)
}

func TestDownStopsWhatAKilledPlatformLeft(t *testing.T) {
	t.Parallel()
	home, dir := t.TempDir(), filepath.Join(localtest.TempDir(t), "state")
	p := launch(t, build(t), dir)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	for _, says := range []string{"that a killed run had left", "nothing runs"} {
		if code, _, errs := nakshaAt(t, home, "down", "--dir", dir); code != 0 || !strings.Contains(errs, says) {
			t.Errorf("exit code %d: %s", code, errs)
		}
		noneLeft(t, dir)
	}
	if code, _, errs := nakshaAt(t, home, "down", "--dir", dir+"typo"); code != 1 || !strings.Contains(errs, "--dir") {
		t.Errorf("where no platform is: exit code %d: %s", code, errs)
	}
}

func TestInterruptStopsInOrder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(localtest.TempDir(t), "state")
	p := launch(t, build(t), dir)
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("exit after Ctrl-C: %v", err)
	}
	noneLeft(t, dir)
}

func endpoints(t testing.TB, dir string) up.Endpoints {
	t.Helper()
	e, err := up.ReadEndpoints(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// noneLeft fails when a process still works in dir.
func noneLeft(t *testing.T, dir string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		line, _ := os.ReadFile(path)
		if bytes.Contains(line, []byte(dir)) {
			t.Errorf("%s is left: %q", filepath.Dir(path), line)
		}
	}
}
