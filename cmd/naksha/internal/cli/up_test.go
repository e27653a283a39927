package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

func TestTheNextCommandNamesTheStateDirectoryUnlessItIsTheDefault(t *testing.T) {
	t.Parallel()
	fallback, err := up.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"":              "",
		fallback:        "",
		"/srv/naksha":   " --dir /srv/naksha",
		"state":         " --dir " + up.Quoted(filepath.Join(here, "state")),
		"/srv/it's one": ` --dir '/srv/it'\''s one'`,
	} {
		var out, errs bytes.Buffer
		(&App{Out: &out, Err: &errs, dir: dir}).welcome(up.Endpoints{}, 0)
		if !strings.HasSuffix(errs.String(), "naksha workspace create shop"+want+"\n") {
			t.Errorf("%q: %s", dir, errs.String())
		}
	}
}
