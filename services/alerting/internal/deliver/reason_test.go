package deliver

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
)

func TestKeepsAnyAnswerOfAProvider(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"", "busy", "\x00\xff\xfe", strings.Repeat("é", 1000), strings.Repeat("x", 499) + "é"} {
		got := reason(errors.New(answer))
		if len(got) > maxReason || !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Errorf("%q", got)
		}
	}
	if reason(nil) != "" {
		t.Error("no error has a reason")
	}
}

func TestLooksOnceMoreBeforeAPage(t *testing.T) {
	t.Parallel()
	running := incident.State{Status: incident.Triggered, Cycle: 2}
	muted, acked, over, later := running, running, running, running
	muted.Muted, acked.Status, over.Status, later.Cycle = true, incident.Acknowledged, incident.Resolved, 3
	page, notice := delivery.Delivery{Kind: delivery.Page, Cycle: 2}, delivery.Delivery{Kind: delivery.Resolved, Cycle: 2}
	for name, c := range map[string]struct {
		state incident.State
		sent  bool
	}{"running": {running, true}, "muted": {muted, false}, "acknowledged": {acked, false}, "over": {over, false}, "later": {later, false}} {
		if wanted(page, c.state) != c.sent || !wanted(notice, c.state) {
			t.Errorf("%s: the page is sent %v", name, !c.sent)
		}
	}
}
