package alerting_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	"github.com/naksha-cloud/naksha/services/alerting"
)

func TestMeasuresItsPromises(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	telemetry, err := obs.New(obs.Config{Service: "alerting"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = telemetry.Shutdown(t.Context()) })
	s, err := alerting.New(h.config, alerting.Deps{Telemetry: telemetry})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, s)
	h.alert(s, map[string]string{"alertname": "A", "severity": "sev1"}, "")
	servicetest.Eventually(t, func() error {
		families, err := telemetry.Registry.Gather()
		if err != nil {
			return err
		}
		got := map[string]float64{}
		for _, family := range families {
			for _, m := range family.GetMetric() {
				got[family.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		for name, want := range map[string]float64{
			"naksha_alerting_ingest_total": 1, "naksha_alerting_incidents": 1, "naksha_alerting_deliveries_total": 1,
			"naksha_alerting_delivery_seconds": 1, "naksha_alerting_alert_to_attempt_seconds": 1,
			"naksha_alerting_open_unacked_without_timer": 0, "naksha_alerting_oldest_due_timer_seconds": 0,
			"naksha_alerting_deliveries_past_deadline": 0, "naksha_alerting_ambiguous_older_than_60s": 0,
			"naksha_alerting_accepted_without_attempt": 0,
		} {
			if value, there := got[name]; !there || value != want {
				return fmt.Errorf("%s is %v (%v), want %v", name, value, there, want)
			}
		}
		return nil
	})
}
