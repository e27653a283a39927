package alerting_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	"github.com/naksha-cloud/naksha/services/alerting"
)

// childEnv makes the test binary a replica of its own, to be killed.
const childEnv = "ALERTING_TEST_CHILD"

// childMain runs the replica that the environment describes.
func childMain() int {
	return service.Program[alerting.Config]{
		Name: "alerting", Config: alerting.DefaultConfig(),
		New: func(c alerting.Config, d service.Deps) (service.Runner, error) { return alerting.New(c, d) },
	}.Main(nil, os.Environ(), os.Stderr)
}

// child starts a replica as a process, with the same configuration, through the environment.
func (h *house) child() *exec.Cmd {
	h.Helper()
	self, err := os.Executable()
	if err != nil {
		h.Fatal(err)
	}
	c := h.config
	cmd := exec.CommandContext(h.Context(), self)
	cmd.Stderr = h.Output()
	for name, value := range map[string]string{
		"DATABASE_URL": c.DatabaseURL.Reveal(), "NATS_URL": c.NATSURL, "NATS_PASSWORD": c.NATSPassword.Reveal(),
		"TLS_CERT_FILE": c.TLS.CertFile, "TLS_KEY_FILE": c.TLS.KeyFile, "TLS_CA_FILE": c.TLS.CAFile,
		"HTTP_LISTEN": c.HTTPListen, "SMTP_HOST": c.SMTP.Host, "SMTP_PORT": strconv.Itoa(c.SMTP.Port), "SMTP_TLS": c.SMTP.TLS,
		"WEBHOOK_URL": c.Webhook.URL, "WEBHOOK_SECRET": c.Webhook.Secret.Reveal(), "POLICY_FILE": c.PolicyFile,
	} {
		cmd.Env = append(cmd.Env, "NAKSHA_ALERTING_"+name+"="+value)
	}
	cmd.Env = append(cmd.Env, childEnv+"=1")
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// sigkill ends a child without grace.
func sigkill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "killed" is what is wanted
}

// hookOnly tells one target by webhook.
const hookOnly = `
policies:
  sev1:
    levels:
      - {at: 0s, target: oncall, via: [webhook]}
`

func (h *house) database() *pgx.Conn {
	h.Helper()
	conn, err := pgx.Connect(h.Context(), h.config.DatabaseURL.Reveal())
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// attempts wants the one page to have n attempts, the last of them without an outcome.
func (h *house) ambiguous(n int) func() error {
	conn := h.database()
	return func() error {
		var got int
		err := conn.QueryRow(h.Context(), `SELECT count(*) FROM attempt`).Scan(&got)
		var open int
		if err == nil {
			err = conn.QueryRow(h.Context(), `SELECT count(*) FROM attempt WHERE finished_at IS NULL`).Scan(&open)
		}
		if err != nil || got != n || open != 1 {
			return fmt.Errorf("%d attempts, %d open, want %d and 1: %w", got, open, n, err)
		}
		return nil
	}
}

func TestKillBetweenCallAndOutcomeRepeatsTheSamePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	h.openAndStop()
	held := make(chan struct{})
	h.hook.answers(func(call) int { // the call arrived, and its answer never leaves
		<-held
		return 204
	})
	cmd := h.child()
	servicetest.Eventually(t, count(2, h.hook.seen))
	sigkill(t, cmd)
	close(held)
	if err := h.ambiguous(2)(); err != nil {
		t.Error(err)
	}
	h.takenUp(3)
}

func TestKillBetweenAttemptAndCallLosesNoPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	h.openAndStop()
	h.hook.answers(nil)
	conn := h.database()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// After its attempt is durable and before the call, a sender reads the incident's alerts: there it waits.
	if _, err := tx.Exec(t.Context(), "LOCK TABLE alert IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	cmd := h.child()
	servicetest.Eventually(t, h.ambiguous(2))
	sigkill(t, cmd)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(h.hook.seen()); got != 1 {
		t.Errorf("%d calls before the kill, want the refused one", got)
	}
	h.takenUp(2)
}

// openAndStop opens an incident whose page is refused for now, and stops the replica. Its clock stands still then: however
// long that takes, it does not try again.
func (h *house) openAndStop() {
	h.Helper()
	h.hook.answers(func(call) int { return 503 })
	hands := clock.NewFake(time.Now())
	s := h.replica(hands)
	if err := s.Start(h.Context()); err != nil {
		h.Fatal(err)
	}
	h.alert(s, map[string]string{"alertname": "ServiceDown", "severity": "sev1"}, lasting)
	within(h, hands, pace, count(1, h.hook.seen))
	kill(h.TB, s)
}

// takenUp starts a replica a minute later, when the dead one's lease is over, and wants the page with its old id.
func (h *house) takenUp(calls int) {
	h.Helper()
	hands := clock.NewFake(time.Now().Add(time.Minute))
	h.start(hands)
	within(h, hands, pace, count(calls, h.hook.seen))
	for _, c := range h.hook.seen() {
		if c.ID != h.hook.seen()[0].ID {
			h.Errorf("a repeat has the id %s, not %s", c.ID, h.hook.seen()[0].ID)
		}
	}
}

func TestTwoReplicasTellOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, quick)
	a, b := h.start(nil), h.start(nil)
	const incidents = 20
	for i := range incidents {
		on := []*alerting.Service{a, b}
		h.alert(on[i%2], map[string]string{"alertname": fmt.Sprint("Down", i), "severity": "sev1"}, "")
		h.alert(on[(i+1)%2], map[string]string{"alertname": fmt.Sprint("Down", i), "severity": "sev1"}, "")
	}
	servicetest.Eventually(t, both(
		count(2*incidents, func() []call { return h.hook.of("incident.page") }),
		count(2*incidents, h.box.seen),
	))
	kill(t, a)
	kill(t, b)
	var ids []string
	for _, c := range h.hook.seen() {
		ids = append(ids, c.ID)
	}
	for _, l := range h.box.seen() {
		ids = append(ids, l.Header.Get("Message-ID"))
	}
	slices.Sort(ids)
	if unique := slices.Compact(slices.Clone(ids)); len(unique) != 4*incidents || len(ids) != len(unique) {
		t.Errorf("%d messages, %d different, want %d", len(ids), len(unique), 4*incidents)
	}
}

func TestPagesWithoutTheBus(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	running := h.start(nil)
	if err := h.env.NATS.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.alert(running, map[string]string{"alertname": "First", "severity": "sev1"}, "")
	servicetest.Eventually(t, count(1, h.hook.seen))
	kill(t, running)
	late := h.start(nil) // and one that begins without it
	h.alert(late, map[string]string{"alertname": "Second", "severity": "sev1"}, "")
	servicetest.Eventually(t, count(2, h.hook.seen))
	if status, _ := h.do(late, "GET", "/-/ready", ""); status != 200 {
		t.Errorf("not ready to page: %d", status)
	}
}

func TestBearsAnOutageOfItsDatabase(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	s := h.start(nil)
	admin, err := pgx.Connect(t.Context(), h.env.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	role := h.database().Config().User
	run := func(sql string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	run("ALTER ROLE " + role + " NOLOGIN")
	run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + role + "'")
	status, text := h.post(s, "/api/v2/alerts", `[{"labels":{"alertname":"X","severity":"sev1"}}]`)
	if status != 503 || strings.Contains(text, role) {
		t.Errorf("without a database: %d %s", status, text)
	}
	if status, _ := h.do(s, "GET", "/-/ready", ""); status != 503 {
		t.Errorf("ready without a database: %d", status)
	}
	run("ALTER ROLE " + role + " LOGIN")
	servicetest.Eventually(t, func() error { // the sender's next try, as Prometheus does
		if status, text := h.post(s, "/api/v2/alerts", `[{"labels":{"alertname":"X","severity":"sev1"}}]`); status != 200 {
			return fmt.Errorf("%d %s", status, text)
		}
		return nil
	})
	servicetest.Eventually(t, count(1, h.hook.seen))
}
