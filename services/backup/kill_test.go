package backup_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

// process is the service's own binary, to be killed.
type process struct {
	binary, config, addr string
	cmd                  *exec.Cmd
}

// newProcess builds the binary and writes its configuration.
func (w *world) newProcess(t testing.TB) *process {
	t.Helper()
	dir := localtest.TempDir(t)
	p := &process{binary: filepath.Join(dir, "naksha-backup"), config: filepath.Join(dir, "config.yaml")}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-w", "-o", p.binary, "./cmd/backup")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	p.addr = fmt.Sprintf("127.0.0.1:%d", localtest.Port(t))
	c := w.config
	text := fmt.Sprintf(`listen: %s
database_url: %s
nats_url: %s
nats_password: %s
root_key_file: %s
poll: 100ms
lease: 4s
retry: 500ms
tls: {cert_file: %s, key_file: %s, ca_file: %s}
peers: {tenant: %q, rotation: %q}
regions:
  primary: {endpoint: %q, access_key: %s, secret_key: %s}
  dr: {endpoint: %q, access_key: %s, secret_key: %s}
`, p.addr, c.DatabaseURL.Reveal(), c.NATSURL, c.NATSPassword.Reveal(), c.RootKeyFile, c.TLS.CertFile, c.TLS.KeyFile, c.TLS.CAFile,
		c.Peers["tenant"], c.Peers["rotation"],
		c.Regions.Primary.Endpoint, localtest.RootAccess, localtest.RootSecret,
		c.Regions.DR.Endpoint, localtest.RootAccess, localtest.RootSecret)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func (p *process) start(t testing.TB) {
	t.Helper()
	p.cmd = exec.Command(p.binary, "--config", p.config)
	if os.Getenv("NAKSHA_TEST_LOG") != "" {
		p.cmd.Stderr = os.Stderr
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process by SIGKILL.
func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // gone already is as good
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// TestWorkSurvivesKills kills the service's process between and inside of the steps of snapshots and restores.
func TestWorkSurvivesKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newProcess(t)
	p.start(t)
	conn := w.env.Dial("gateway", "backup", p.addr)
	i := &instance{snapshots: backupv1.NewSnapshotServiceClient(conn), restores: backupv1.NewRestoreServiceClient(conn)}
	ref, before, damage := w.cities(t)
	id := uuid.NewString()
	var name string
	servicetest.Eventually(t, func() error {
		r, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: "workspaces/" + ref, RequestId: id})
		name = r.GetSnapshot().GetName()
		return err
	})
	for _, life := range []time.Duration{50, 150, 300} { // somewhere inside of the snapshot
		pauseFor(t, life*time.Millisecond)
		p.kill()
		p.start(t)
	}
	if s := i.awaitSnapshot(t, name); s.GetState() != backupv1.Snapshot_STATE_VERIFIED {
		t.Fatalf("snapshot ended as %v", s)
	}
	for _, step := range []string{"StageRestore", "SwapRestore", "ClearRestore"} {
		for _, when := range []string{"before", "after"} {
			damage()
			w.tenant.killAt(step, when, p)
			order := &backupv1.CreateRestoreRequest{Parent: "workspaces/" + ref, Snapshot: name, RequestId: uuid.NewString()}
			servicetest.Eventually(t, func() error {
				_, err := i.restores.CreateRestore(operator(t), order) // its answer may die with the process
				select {
				case <-w.tenant.killed:
					return nil
				default:
					return fmt.Errorf("not yet %s %s: %v", when, step, err)
				}
			})
			w.tenant.intercept(nil)
			p.kill()
			p.start(t)
			var begun string
			servicetest.Eventually(t, func() error {
				r, err := i.restores.CreateRestore(operator(t), order)
				begun = r.GetRestore().GetName()
				return err
			})
			i.awaitRestore(t, begun, backupv1.Restore_STATE_COMPLETED)
			compare(t, before, w.state(t, ref))
			servicetest.Eventually(t, func() error {
				roles := scan[int](t, w.cell, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'w\\_"+ref+"\\_\\_%'")
				if roles != 0 {
					return fmt.Errorf("%s %s: %d logins are left", when, step, roles)
				}
				return nil
			})
			restores := scan[int](t, w.cell, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'w\\_"+ref+"\\_\\_r%'")
			if restores != 0 {
				t.Errorf("%s %s: %d staged schemas are left", when, step, restores)
			}
		}
	}
}

// killAt ends p at an order: before it is carried out, or after, before its answer arrives.
func (f *tenant) killAt(method, when string, p *process) {
	f.killed = make(chan struct{})
	done := false
	process := p.cmd.Process
	end := func() {
		if !done {
			done = true
			_ = process.Kill()
			close(f.killed)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = nil, nil
	hook := func(called string) error {
		if called != method {
			return nil
		}
		end()
		return errors.New("whoever asked is dead")
	}
	if when == "before" {
		f.before = hook
	} else {
		f.after = hook
	}
}

func pauseFor(t testing.TB, d time.Duration) {
	timer := time.NewTimer(d)
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
