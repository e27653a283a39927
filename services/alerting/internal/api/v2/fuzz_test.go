package v2_test

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	v2 "github.com/naksha-cloud/naksha/services/alerting/internal/api/v2"
)

// FuzzAlerts: whatever is posted is refused with a sentence, or is an alert that the tables can hold.
func FuzzAlerts(f *testing.F) {
	for _, seed := range []string{
		``, `[]`, `null`, `[null]`, `{}`, `[{"labels":{"alertname":"X"}}]`, `[{"labels":{"a":"\u0000"},"startsAt":""}]`,
		`[{"labels":{"a":"b"},"startsAt":"2026-11-22T06:00:00.000Z","endsAt":"0001-01-01T00:00:00Z"}]`,
		`[{"labels":{"имя":"🔥","":"x"},"annotations":{"summary":"\ud800"},"generatorURL":7}]`, `[{"labels":{"a":1}},[]]`, `[[[[`,
	} {
		f.Add([]byte(seed))
	}
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		batch, err := v2.DecodeAlerts(body)
		if err != nil {
			if fault.ReasonOf(err) != "REQUEST_MALFORMED" || len(batch.Posts)+len(batch.Refusals) > 0 {
				t.Fatalf("%v, %d posts", err, len(batch.Posts))
			}
			return
		}
		for _, post := range batch.Posts {
			a, err := post.Settle(now, time.Minute)
			if err != nil {
				continue
			}
			kept, _ := json.Marshal(a.Labels)
			if len(a.Labels) == 0 || a.EndsAt.Before(a.StartsAt) || !utf8.Valid(kept) || len(alert.Key(a.Labels)) != 32 {
				t.Fatalf("kept %+v", a)
			}
			if title := a.Title(); len(title) > 200 || !utf8.ValidString(title) {
				t.Fatalf("title %q", title)
			}
			if again := alert.Merge(a, a); !again.EndsAt.Equal(a.EndsAt) {
				t.Fatalf("merged with itself %+v", again)
			}
		}
	})
}
