package page_test

import (
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/page"
)

var last = page.Cursor{Time: time.Date(2026, 11, 22, 8, 0, 0, 123000, time.UTC), ID: "abc"}

func isABC(id string) bool { return id == "abc" }

func TestTokenLeadsBackToItsPlaceInItsOwnListOnly(t *testing.T) {
	t.Parallel()
	token := last.Token("workspaces")
	if got, err := page.Parse(token, "workspaces", isABC); err != nil || got != last {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := page.Parse(token, "keys", isABC); fault.ReasonOf(err) != "PAGE_TOKEN_INVALID" {
		t.Errorf("another list took it: %v", err)
	}
	other := page.Cursor{Time: last.Time, ID: "' OR true"}
	if _, err := page.Parse(other.Token("keys"), "keys", isABC); fault.ReasonOf(err) != "PAGE_TOKEN_INVALID" {
		t.Errorf("another id was taken: %v", err)
	}
	if got, err := page.Parse("", "keys", isABC); err != nil || !got.First() {
		t.Errorf("the first page is %+v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(last.Token("list"))
	f.Add("x")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := page.Parse(token, "list", isABC)
		if err == nil && token != "" && got.Token("list") != token {
			t.Errorf("%q was read as %+v", token, got)
		}
		if err != nil && fault.ReasonOf(err) != "PAGE_TOKEN_INVALID" {
			t.Errorf("%q gave %v", token, err)
		}
	})
}
