package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestListsAreShownToTheirEnd(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 123)
	names := g.at.run(t.Context(), "key", "list", "x", "-o", "name")
	lines := strings.Fields(names.out)
	if names.code != exitOK || names.err != "" || len(lines) != 123 || lines[122] != "workspaces/x/keys/key122" {
		t.Errorf("%d names, %+v", len(lines), names)
	}
	if table := g.at.run(t.Context(), "key", "list", "x"); strings.Count(table.out, "\n") != 124 { // with its header
		t.Errorf("%+v", table)
	}
	object := g.at.run(t.Context(), "key", "list", "x", "-o", "json")
	var got struct {
		Keys          []any
		NextPageToken string
	}
	if err := json.Unmarshal([]byte(object.out), &got); err != nil || len(got.Keys) != 123 || got.NextPageToken != "" {
		t.Errorf("%d keys, token %q, %v", len(got.Keys), got.NextPageToken, err)
	}
	if asked := len(g.asked); asked != 9 {
		t.Errorf("asked for %d pages", asked)
	}
}

func TestOnePageSaysThatThereIsMore(t *testing.T) {
	t.Parallel()
	g := newGateway(t, 123)
	for _, test := range []struct {
		args    string
		lines   int
		further string
	}{
		{"--page-size 100", 100, "--page-token 100"},
		{"--page-token 50", 50, "--page-token 100"},
		{"--page-size 100 --page-token 100", 23, ""},
	} {
		args := append([]string{"key", "list", "x", "-o", "name"}, strings.Fields(test.args)...)
		got := g.at.run(t.Context(), args...)
		if strings.Count(got.out, "\n") != test.lines || !strings.Contains(got.err, test.further) || (test.further == "") != (got.err == "") {
			t.Errorf("%s: %+v", test.args, got)
		}
	}
	var object struct{ NextPageToken string }
	got := g.at.run(t.Context(), "key", "list", "x", "-o", "json", "--page-size", "1")
	if err := json.Unmarshal([]byte(got.out), &object); err != nil || object.NextPageToken != "1" || got.err != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
