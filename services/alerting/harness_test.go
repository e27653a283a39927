package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	"github.com/naksha-cloud/naksha/services/alerting"
)

// house is a service with the people that it tells.
type house struct {
	testing.TB
	env    *servicetest.Env
	config alerting.Config
	hook   *receiver
	box    *mailbox
}

// newHouse makes the surroundings; policies is a policy file, or empty for the built-in matrix.
func newHouse(t testing.TB, policies string) *house {
	t.Helper()
	h := &house{TB: t, env: servicetest.New(t), hook: newReceiver(t), box: newMailbox(t)}
	h.config = alerting.DefaultConfig()
	h.config.Config = h.env.Config("alerting")
	h.config.HTTPListen = "127.0.0.1:0"
	h.config.SMTP.Host, h.config.SMTP.Port, h.config.SMTP.TLS = "127.0.0.1", h.box.Port, "none"
	h.config.Webhook = alerting.Webhook{URL: h.hook.URL, Secret: conf.Secret(hookSecret())}
	if policies != "" {
		h.config.PolicyFile = filepath.Join(localtest.TempDir(t), "policies.yaml")
		if err := os.WriteFile(h.config.PolicyFile, []byte(policies), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// start starts a replica on c; nil = the machine's clock.
func (h *house) start(c clock.Clock) *alerting.Service {
	h.Helper()
	s := h.replica(c)
	servicetest.Start(h.TB, s)
	return s
}

func (h *house) replica(c clock.Clock) *alerting.Service {
	h.Helper()
	s, err := alerting.New(h.config, alerting.Deps{Clock: c})
	if err != nil {
		h.Fatal(err)
	}
	return s
}

// benchHouse is a running replica that tells nobody, and a connection to its database.
func benchHouse(b *testing.B) (*alerting.Service, *pgx.Conn) {
	b.Helper()
	h := newHouse(b, "")
	h.config.SMTP.Host, h.config.Webhook = "", alerting.Webhook{}
	return h.start(nil), h.database()
}

// conn calls the replica as an operator through the gateway would.
func (h *house) conn(s *alerting.Service) *grpc.ClientConn {
	h.Helper()
	return h.env.Dial("gateway", "alerting", s.Addr())
}

// post posts to a path of the HTTP API and returns the status and the answer.
func (h *house) post(s *alerting.Service, path, body string) (int, string) {
	h.Helper()
	return h.do(s, http.MethodPost, path, body)
}

func (h *house) do(s *alerting.Service, method, path, body string) (int, string) {
	h.Helper()
	request, err := http.NewRequestWithContext(h.Context(), method, "http://"+s.HTTPAddr()+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		h.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		h.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

// alert posts one alert with labels such as `severity="sev1"`, and wants it taken.
func (h *house) alert(s *alerting.Service, labels map[string]string, extra string) {
	h.Helper()
	pairs := ""
	for k, v := range labels {
		pairs += fmt.Sprintf("%q:%q,", k, v)
	}
	status, text := h.post(s, "/api/v2/alerts", fmt.Sprintf(`[{"labels":{%s}%s}]`, strings.TrimSuffix(pairs, ","), extra))
	if status != http.StatusOK {
		h.Fatalf("post: %d %s", status, text)
	}
}

// only returns the one incident that there is.
func (h *house) only(s *alerting.Service) *alertingv1.Incident {
	h.Helper()
	client := alertingv1.NewIncidentServiceClient(h.conn(s))
	list, err := client.ListIncidents(asOperator(h.Context()), &alertingv1.ListIncidentsRequest{})
	if err != nil {
		h.Fatal(err)
	}
	if len(list.GetIncidents()) != 1 {
		h.Fatalf("%d incidents, want 1: %v", len(list.GetIncidents()), list.GetIncidents())
	}
	got, err := client.GetIncident(asOperator(h.Context()), &alertingv1.GetIncidentRequest{Name: list.GetIncidents()[0].GetName()})
	if err != nil {
		h.Fatal(err)
	}
	return got.GetIncident()
}

// pace is a step of within with which time passes about as fast as ours.
const pace = 20 * time.Millisecond

// within moves the clock in steps until f is satisfied: the loops see each step.
func within(h *house, c *clock.Fake, step time.Duration, f func() error) {
	h.Helper()
	servicetest.Eventually(h.TB, func() error {
		err := f()
		if err != nil && c != nil {
			c.Advance(step)
		}
		return err
	})
}

// kill ends a replica without grace: its database goes away under it, and what it does then is lost.
func kill(t testing.TB, s *alerting.Service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// count wants n of what f lists.
func count[T any](n int, f func() []T) func() error {
	return func() error {
		if got := f(); len(got) != n {
			return fmt.Errorf("%d, want %d: %+v", len(got), n, got)
		}
		return nil
	}
}

// both wants all conditions.
func both(conditions ...func() error) func() error {
	return func() error {
		var errs []error
		for _, c := range conditions {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	}
}
