package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestServicesRunAsProcessesAndComeBackWhenTheyDieOrHang(t *testing.T) {
	t.Parallel()
	binary, dir := buildAll(t), filepath.Join(localtest.TempDir(t), "state")
	p := launch(t, binary, dir, "--processes")
	w := &world{dir: dir, endpoints: endpoints(t, dir)}
	secretsStayHidden(t, w)
	client := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t)))
	made, err := client.CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	strike := func(name string, signal syscall.Signal) {
		t.Helper()
		struck := endpoints(t, dir).Processes[name]
		if err := syscall.Kill(struck, signal); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		servicetest.Eventually(t, func() error {
			if endpoints(t, dir).Processes[name] == struck {
				return fmt.Errorf("%s has not come back", name)
			}
			code, out, errs := w.naksha(t, "status", "-o", "json")
			if code != 0 {
				return fmt.Errorf("%s after %s: %s%s", name, signal, out, errs)
			}
			return nil
		})
		_, err := client.GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: made.GetWorkspace().GetName()})
		if err != nil {
			t.Errorf("%s after %s: %v", name, signal, err)
		}
	}
	for _, name := range up.Services {
		strike(name, syscall.SIGKILL)
	}
	strike("rotation", syscall.SIGSTOP) // as one that hangs
	if code, out, errs := w.naksha(t, "log-level", "debug", "--service", "backup"); code != 0 {
		t.Errorf("log level: exit code %d, %s%s", code, out, errs)
	}
	reply, err := http.Get(endpoints(t, dir).Admins["backup"] + "/loglevel")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if text, err := io.ReadAll(reply.Body); err != nil || !strings.Contains(string(text), `"backup":"DEBUG"`) {
		t.Errorf("the process's own level: %s, %v", text, err)
	}
	last := endpoints(t, dir).Processes
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("exit after SIGTERM: %v", err)
	}
	if err := stillRuns(last); err != nil {
		t.Error(err)
	}
	noneLeft(t, dir)
}

func TestADirectoryGoesFromOneModeToTheOtherAndOrphansAreStopped(t *testing.T) {
	t.Parallel()
	binary, dir := buildAll(t), filepath.Join(localtest.TempDir(t), "state")
	first := launch(t, binary, dir)
	w := &world{dir: dir, endpoints: endpoints(t, dir)}
	made, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t))).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	down(t, binary, dir, first)
	second := launch(t, binary, dir, "--processes")
	orphans := endpoints(t, dir).Processes
	// This one cannot end by itself when its parent is gone.
	if err := syscall.Kill(orphans["backup"], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-second.ended
	leashed := maps.Clone(orphans)
	for _, name := range []string{"backup", "platform", "cell1"} { // the servers are no services: they go on
		delete(leashed, name)
	}
	servicetest.Eventually(t, func() error { return stillRuns(leashed) })
	third := launch(t, binary, dir, "--processes")
	servicetest.Eventually(t, func() error { return stillRuns(orphans) })
	w = &world{dir: dir, endpoints: endpoints(t, dir)}
	_, err = tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t))).
		GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: made.GetWorkspace().GetName()})
	if err != nil {
		t.Errorf("in the other mode: %v", err)
	}
	down(t, binary, dir, third)
}

func TestProcessesNeedTheirBinaries(t *testing.T) {
	t.Parallel()
	platform, err := up.New(up.Config{Dir: localtest.TempDir(t), Processes: true, Binaries: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	err = platform.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "make build") || !strings.Contains(err.Error(), "--binaries") {
		t.Errorf("got %v", err)
	}
}

// secretsStayHidden looks at what every user of the machine may see of the processes.
func secretsStayHidden(t *testing.T, w *world) {
	t.Helper()
	seen := map[int]bool{}
	for _, name := range up.Services {
		pid := w.endpoints.Processes[name]
		if pid == w.endpoints.PID || seen[pid] {
			t.Errorf("%s is no process of its own", name)
		}
		seen[pid] = true
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if want := "naksha-" + name + "\x00--leash\x00--config\x00/dev/fd/3\x00"; err != nil || !strings.HasSuffix(string(line), want) {
			t.Errorf("command line of %s: %q, %v", name, line, err)
		}
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || bytes.Contains(environ, []byte("NAKSHA_")) || bytes.Contains(environ, []byte("postgres://")) {
			t.Errorf("environment of %s holds secrets: %v", name, err)
		}
	}
	servicetest.Eventually(t, func() error {
		code, out, errs := w.naksha(t, "status", "-o", "json")
		var told struct{ Services []struct{ PID int } }
		if err := json.Unmarshal([]byte(out), &told); err != nil || code != 0 || len(told.Services) != len(up.Services) || !seen[told.Services[0].PID] {
			return fmt.Errorf("status: exit code %d, %s%s: %w", code, out, errs, err)
		}
		return nil
	})
}

// down stops a platform by `naksha down`.
func down(t *testing.T, binary, dir string, p *process) {
	t.Helper()
	if out, err := exec.Command(binary, "down", "--dir", dir).CombinedOutput(); err != nil {
		t.Errorf("down: %v\n%s", err, out)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("the platform did not stop in order: %v", err)
	}
	noneLeft(t, dir)
}

// stillRuns names one of the processes that runs, nil = none does; a zombie does not.
func stillRuns(pids map[string]int) error {
	for name, pid := range pids {
		if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); len(line) > 0 {
			return fmt.Errorf("%s (%d) still runs: %q", name, pid, line)
		}
	}
	return nil
}
