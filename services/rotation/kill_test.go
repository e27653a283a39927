package rotation_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
)

// asChild in the environment makes this test binary the service itself.
const asChild = "NAKSHA_TEST_CHILD"

func childMain() int {
	return service.Program[rotation.Config]{
		Name: "rotation", Config: rotation.DefaultConfig(),
		New: func(c rotation.Config, d service.Deps) (service.Runner, error) { return rotation.New(c, d) },
	}.Main(os.Args[1:], os.Environ(), os.Stderr)
}

// TestSurvivesKills ends the service's process by SIGKILL at random moments of one rotation, again and again.
func TestSurvivesKills(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := newChild(t, h)
	c.start(t)
	w := h.cell.AddWorkspace(t)
	h.tell(t, w, created(h, w))
	const kills = 12
	var r *rotationv1.Rotation
	for range kills {
		c.liveFor(t, 200*time.Millisecond+rand.N(900*time.Millisecond), func() { r = c.play(t, h, w, r) })
		c.kill(t)
		c.start(t)
		h.wantOneAlive(t, w)
	}
	var got *rotationv1.RedeemCredentialResponse
	servicetest.Eventually(t, func() (err error) {
		if r = c.play(t, h, w, r); r.GetState() != rotationv1.Rotation_STATE_COMPLETED {
			return fmt.Errorf("rotation is %s", r.GetState())
		}
		got, err = c.credentials().RedeemCredential(h.customer(t, w), &rotationv1.RedeemCredentialRequest{Name: string(credential.ForWorkspace(w.Name))})
		return err
	})
	if h.cell.Works(t, h.cell.Role(w.Name, 1), w.Password) {
		t.Error("the old login works")
	}
	if !h.cell.Works(t, got.GetUser(), generation.Password(got.GetPassword())) {
		t.Error("the new login does not work")
	}
	wantEvidence(t, r)
}

// wantOneAlive wants that somebody can log in: with generation 1, or with 2 as it is sealed.
func (h *house) wantOneAlive(t *testing.T, w celltest.Workspace) {
	t.Helper()
	if h.cell.Works(t, h.cell.Role(w.Name, 1), w.Password) {
		return
	}
	conn, err := pgx.Connect(t.Context(), h.config.DatabaseURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var sealed []byte
	if err := conn.QueryRow(t.Context(), "SELECT secret FROM generation WHERE number = 2 AND secret IS NOT NULL").Scan(&sealed); err != nil {
		t.Fatalf("generation 1 is dead, and there is no other: %v", err)
	}
	secret := h.open(t, string(credential.ForWorkspace(w.Name))+"/generations/2", sealed)
	if !h.cell.Works(t, h.cell.Role(w.Name, 2), secret.Password) {
		t.Fatal("both logins are dead")
	}
}

// open opens a sealed secret with the root key.
func (h *house) open(t *testing.T, name string, sealed []byte) generation.Secret {
	t.Helper()
	root, err := seal.ReadRoot(h.config.RootKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	box, err := root.Box("rotation")
	if err != nil {
		t.Fatal(err)
	}
	value, err := box.Open(name, sealed)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := generation.DecodeSecret(value)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// child is the service in a process of its own.
type child struct {
	config, address string
	log             *buffer
	conn            *grpc.ClientConn // to whichever process lives now
	cmd             *exec.Cmd
}

func newChild(t *testing.T, h *house) *child {
	t.Helper()
	c := &child{
		config: filepath.Join(t.TempDir(), "rotation.yaml"), address: fmt.Sprintf("127.0.0.1:%d", localtest.Port(t)), log: h.log,
	}
	content, err := yaml.Marshal(map[string]any{
		"listen": c.address, "database_url": h.config.DatabaseURL.Reveal(), "nats_url": h.config.NATSURL,
		"nats_password": h.config.NATSPassword.Reveal(), "peers": h.config.Peers, "root_key_file": h.config.RootKeyFile,
		"quiet_window": "300ms", "lease": "4s", "tls": map[string]string{
			"cert_file": h.config.TLS.CertFile, "key_file": h.config.TLS.KeyFile, "ca_file": h.config.TLS.CAFile,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.config, content, 0o600); err != nil {
		t.Fatal(err)
	}
	c.conn = h.env.Dial("gateway", "rotation", c.address)
	t.Cleanup(func() { c.kill(t) })
	return c
}

func (c *child) start(t *testing.T) {
	t.Helper()
	c.cmd = exec.Command(os.Args[0], "--config", c.config)
	c.cmd.Env = append(os.Environ(), asChild+"=1")
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.conn.ResetConnectBackoff()
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // it was killed: that is its error
}

// liveFor calls act again and again for a while.
func (c *child) liveFor(t *testing.T, d time.Duration, act func()) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-ticker.C {
		act()
	}
}

func (c *child) credentials() rotationv1.CredentialServiceClient {
	return rotationv1.NewCredentialServiceClient(c.conn)
}

// requestID makes the customer's repeats of CreateRotation one rotation.
const requestID = "6f1c2f36-8f3c-4b4e-9a51-0d4a3c1f2b12"

// play does what the customer would do now: every call may fail, since the service is killed all the time.
func (c *child) play(t *testing.T, h *house, w celltest.Workspace, r *rotationv1.Rotation) *rotationv1.Rotation {
	t.Helper()
	name := string(credential.ForWorkspace(w.Name))
	reply, err := rotationv1.NewRotationServiceClient(c.conn).CreateRotation(h.customer(t, w), &rotationv1.CreateRotationRequest{Parent: name, RequestId: requestID})
	if err != nil {
		return r
	}
	if reply.GetRotation().GetState() == rotationv1.Rotation_STATE_ANNOUNCED {
		if got, err := c.credentials().RedeemCredential(h.customer(t, w), &rotationv1.RedeemCredentialRequest{Name: name}); err == nil {
			_, _ = c.credentials().AcknowledgeCredential(h.customer(t, w),
				&rotationv1.AcknowledgeCredentialRequest{Name: name, Generation: got.GetGeneration()}) // repeated until it is promoted
		}
	}
	return reply.GetRotation()
}
