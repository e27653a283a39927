package alerting_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

func TestAlertsOfAGroupThatComeTogetherMakeOneIncident(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	a, b := h.start(nil), h.start(nil)
	var posts sync.WaitGroup
	for i := range 40 {
		s := a
		if i%2 == 0 {
			s = b
		}
		posts.Go(func() {
			status, text := h.post(s, "/api/v2/alerts",
				fmt.Sprintf(`[{"labels":{"alertname":"Down","severity":"sev1","instance":"i%d"}}]`, i))
			if status != http.StatusOK {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	posts.Wait()
	servicetest.Eventually(t, count(1, h.hook.seen))
	if i := h.only(a); len(i.GetDeliveries()) != 1 {
		t.Errorf("%v", i)
	}
	list, err := alertingv1.NewAlertServiceClient(h.conn(a)).ListAlerts(asOperator(t.Context()), &alertingv1.ListAlertsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list.GetAlerts() {
		if one.GetIncident() != h.only(a).GetName() {
			t.Errorf("%v belongs to no incident", one.GetLabels())
		}
	}
}

func TestAnAlertThatComesWhileItsSilenceEndsIsNotLost(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	s := h.start(nil)
	const alerts = 25
	var names []string
	for i := range alerts {
		names = append(names, h.mute(s, fmt.Sprint("job", i), time.Time{}, time.Now().Add(time.Hour)))
	}
	silences := alertingv1.NewSilenceServiceClient(h.conn(s))
	var both sync.WaitGroup
	for i, name := range names {
		both.Go(func() {
			body := fmt.Sprintf(`[{"labels":{"alertname":"Down","severity":"sev1","job":"job%d"},"endsAt":"2099-01-01T00:00:00Z"}]`, i)
			if status, text := h.post(s, "/api/v2/alerts", body); status != http.StatusOK {
				t.Errorf("%d %s", status, text)
			}
		})
		both.Go(func() {
			_, err := silences.DeleteSilence(asOperator(t.Context()), &alertingv1.DeleteSilenceRequest{Name: name})
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	servicetest.Eventually(t, count(alerts, h.hook.seen))
}
