package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// atHome runs command lines that share a home.
func atHome(home string) func(t *testing.T, args ...string) said {
	return func(t *testing.T, args ...string) said {
		t.Helper()
		var out, errs bytes.Buffer
		app := &App{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(name string) string {
			return map[string]string{"HOME": home}[name]
		}}
		code := app.Run(t.Context(), args)
		return said{code: code, out: out.String(), err: errs.String()}
	}
}

func TestContextWorksFromEveryFolder(t *testing.T) {
	t.Parallel()
	g, naksha := newGateway(t, 1), atHome(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(here, g.at.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	made := naksha(t, "context", "create", "shop", "--server", g.at.Server, "--ca-file", g.at.CAFile, "--key-file", relative)
	if made.code != exitOK || made.err != "Context shop means "+g.at.Server+", and is in use from now on.\n" {
		t.Fatalf("%+v", made)
	}
	if got := naksha(t, "key", "list", "x"); got.code != exitOK {
		t.Errorf("%+v", got)
	}
	if got := naksha(t, "context", "list", "-o", "json"); !strings.Contains(got.out, `"key_file": "`+g.at.KeyFile+`"`) ||
		!strings.Contains(got.out, `"current": true`) {
		t.Errorf("%+v", got)
	}
	if got := naksha(t, "context", "list", "-o", "name"); got.out != "shop\n" {
		t.Errorf("%+v", got)
	}
}

func TestContextThatCannotServeIsRefused(t *testing.T) {
	t.Parallel()
	key, naksha := keyOf(t, "nk_adm_key"), atHome(t.TempDir())
	for line, want := range map[string]string{
		"--key-file " + key:                                            "needs --server",
		"--server nonsense --key-file " + key:                          "no https://host:port",
		"--server http://h:1 --key-file " + key:                        "no https://host:port",
		"--server https://h:1 --key-file " + key + ".gone":             "--key-file",
		"--server https://h:1 --ca-file " + key + " --key-file " + key: "--ca-file",
	} {
		got := naksha(t, append([]string{"context", "create", "shop"}, strings.Fields(line)...)...)
		if got.code != exitUsage || !strings.Contains(got.err, want) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := naksha(t, "context", "list", "-o", "name"); got.out != "" {
		t.Errorf("kept %q", got.out)
	}
}

func TestContextIsReplacedOnlyWithConsent(t *testing.T) {
	t.Parallel()
	naksha := atHome(t.TempDir())
	for _, step := range []struct {
		args string
		code int
	}{
		{"--server https://one:1", exitOK},
		{"--server https://one:1", exitOK}, // nothing changes
		{"--server https://two:1", exitUsage},
		{"--server https://two:1 --yes", exitOK},
	} {
		got := naksha(t, append([]string{"context", "create", "shop"}, strings.Fields(step.args)...)...)
		if got.code != step.code {
			t.Errorf("%s: %+v", step.args, got)
		}
	}
	if got := naksha(t, "context", "list"); !strings.Contains(got.out, "https://two:1") {
		t.Errorf("%+v", got)
	}
}
