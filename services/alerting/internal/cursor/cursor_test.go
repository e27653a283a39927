package cursor_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/alerting/internal/cursor"
)

func TestReadsBackItsTokensAndNoOthers(t *testing.T) {
	t.Parallel()
	valid := func(id string) bool { return id == "x" }
	place := cursor.Place{At: time.Date(2026, 11, 25, 10, 0, 0, 123456000, time.UTC), ID: "x"}
	if got, err := cursor.Read(place.Token(), valid); err != nil || got != place {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := cursor.Read("", valid); err != nil || got != (cursor.Place{}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "x", "2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z y", "0001-01-01T00:00:00Z x", "now x", "\x00"} {
		token := base64.RawURLEncoding.EncodeToString([]byte(text))
		if text == "" {
			token = "!"
		}
		if _, err := cursor.Read(token, valid); fault.ReasonOf(err) != "PAGE_TOKEN_INVALID" {
			t.Errorf("%q: %v", text, err)
		}
	}
}
