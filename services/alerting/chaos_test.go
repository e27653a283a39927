package alerting_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
)

// TestKillsAtAnyMomentLoseNoPage posts alerts to a replica that is killed and started again and again. Each alert that
// was taken is paged, and whatever is repeated carries the id of the first.
func TestKillsAtAnyMomentLoseNoPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	h.config.HTTPListen = fmt.Sprintf("127.0.0.1:%d", localtest.Port(t))
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	taken := map[string]bool{}
	for round := range 5 {
		cmd := h.child()
		until := h.whenUp().Add(time.Duration(random.IntN(400)) * time.Millisecond)
		for i := 0; time.Now().Before(until); i++ {
			name := fmt.Sprintf("Down%d-%d", round, i)
			body := fmt.Sprintf(`[{"labels":{"alertname":%q,"severity":"sev1"},"endsAt":"2099-01-01T00:00:00Z"}]`, name)
			reply, err := http.Post("http://"+h.config.HTTPListen+"/api/v2/alerts", "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			_ = reply.Body.Close()
			taken[name] = reply.StatusCode == http.StatusOK
		}
		sigkill(t, cmd)
	}
	h.config.HTTPListen = "127.0.0.1:0"
	hands := clock.NewFake(time.Now().Add(time.Minute)) // the dead ones' leases are over
	h.start(hands)
	within(h, hands, pace, func() error {
		ids := map[string]string{}
		for _, c := range h.hook.seen() {
			name := c.Data.Alerts[0].Labels["alertname"]
			if known, repeated := ids[name]; repeated && known != c.ID {
				t.Fatalf("%s was paged as %s and as %s", name, known, c.ID)
			}
			ids[name] = c.ID
		}
		for name, ok := range taken {
			if _, paged := ids[name]; ok && !paged {
				return fmt.Errorf("%s was taken and not paged", name)
			}
		}
		return nil
	})
	t.Logf("%d alerts, %d calls", len(taken), len(h.hook.seen()))
}

// whenUp waits until the replica takes alerts.
func (h *house) whenUp() time.Time {
	h.Helper()
	servicetest.Eventually(h.TB, func() error {
		reply, err := http.Get("http://" + h.config.HTTPListen + "/-/ready")
		if err != nil {
			return err
		}
		return reply.Body.Close()
	})
	return time.Now()
}
