package api

import (
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/page"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

var last = rotation.Rotation{ID: "01990000-0000-7000-8000-000000000000", CreatedAt: time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC)}

func TestTokenLeadsBackToItsPlaceInItsOwnList(t *testing.T) {
	t.Parallel()
	n := credential.ForServer("servers/one")
	want := rotation.Position{CreatedAt: last.CreatedAt, ID: last.ID}
	if got, err := readToken(n, writeToken(n, last)); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, foreign := range []string{
		writeToken(credential.ForServer("servers/two"), last), page.Cursor{Time: last.CreatedAt, ID: "zz"}.Token(listOf(n)),
	} {
		if _, err := readToken(n, foreign); fault.ReasonOf(err) != "PAGE_TOKEN_INVALID" {
			t.Errorf("took %q: %v", foreign, err)
		}
	}
}
