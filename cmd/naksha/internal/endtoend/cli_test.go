package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestCommandLineWorksInEveryForm(t *testing.T) {
	t.Parallel()
	w := start(t)
	code, out, errs := w.naksha(t, "workspace", "create", "forms", "-o", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var made struct {
		Workspace   struct{ Name string }
		Credentials struct{ SecretKey string }
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Credentials.SecretKey == "" {
		t.Fatalf("no workspace in %s: %v", out, err)
	}
	for form, want := range map[string]string{
		"table": "DISPLAY NAME", "json": `"name": "` + made.Workspace.Name, "yaml": "name: " + made.Workspace.Name,
		"name": made.Workspace.Name + "\n",
	} {
		code, out, errs := w.naksha(t, "workspace", "get", made.Workspace.Name, "-o", form)
		if code != 0 || !strings.Contains(out, want) || errs != "" {
			t.Errorf("-o %s: exit code %d, %q, %q", form, code, out, errs)
		}
	}
	for _, args := range [][]string{
		{"workspace", "list"},
		{"key", "list", made.Workspace.Name},
		{"snapshot", "list", made.Workspace.Name},
		{"restore", "list", made.Workspace.Name},
		{"credential", "list", made.Workspace.Name},
		{"alert", "list"},
		{"incident", "list"},
		{"silence", "list"},
		{"event", "list", "tenant", made.Workspace.Name},
		{"dead-letter", "list", "backup"},
		{"version"},
		{"whoami"},
		{"log-level"},
	} {
		for _, form := range []string{"table", "json", "yaml", "name"} {
			code, out, errs := w.naksha(t, append(args, "-o", form)...)
			if code != 0 || form == "name" && (strings.HasPrefix(out, "\n") || strings.Contains(out, "\n\n")) {
				t.Errorf("%s -o %s: exit code %d, %q: %s", strings.Join(args, " "), form, code, out, errs)
			}
		}
	}
	if _, out, _ := w.naksha(t, "status", "-o", "json"); !strings.Contains(out, `"version": "test"`) {
		t.Errorf("status shows another version than that of the program: %s", out)
	}
	for _, health := range []string{"status", "doctor"} { // what is late recovers
		servicetest.Eventually(t, func() error {
			if code, _, errs := w.naksha(t, health); code != 0 {
				return fmt.Errorf("%s: exit code %d: %s", health, code, errs)
			}
			return nil
		})
	}
}

func TestWhatHappenedIsReadFromTheCommandLine(t *testing.T) {
	t.Parallel()
	w := start(t)
	code, made, errs := w.naksha(t, "workspace", "create", "told", "-o", "name")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if code, out, errs := w.naksha(t, "event", "list", "tenant", strings.TrimSpace(made), "-o", "json"); code != 0 ||
		!strings.Contains(out, `"fact": {`) || !strings.Contains(out, `"displayName": "told"`) {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	code, out, errs := w.naksha(t, "alert", "create", "Told", "--severity", "sev4", "-o", "json")
	var alert struct{ Incident string }
	if err := json.Unmarshal([]byte(out), &alert); err != nil || code != 0 || !strings.HasPrefix(alert.Incident, "incidents/") {
		t.Fatalf("exit code %d, %s%s: %v", code, out, errs, err)
	}
	if code, _, errs := w.naksha(t, "incident", "resolve", alert.Incident); code != 0 {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestExitCodesSayWhatKindOfFailure(t *testing.T) {
	t.Parallel()
	w := start(t)
	empty := t.TempDir()
	key := filepath.Join(empty, "key")
	if err := os.WriteFile(key, []byte("nk_adm_wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]int{
		"workspace get aaaaaaaaaaaaaaaaaaaa": 3,
		"workspace get ../../x":              2,
		"workspace get":                      2,
		"dead-letter get services/backup/deadLetters/0197c0de-0000-7000-8000-000000000000": 3,
		"dead-letter drop services/backup/deadLetters/x":                                   2,
		"workspace nope":                              2,
		"nope":                                        2,
		"workspace list --nope":                       2,
		"workspace list -o xml":                       2,
		"workspace delete aaaaaaaaaaaaaaaaaaaa":       2, // nobody to ask, no --yes
		"workspace list --key-file " + key:            5,
		"workspace list --dir " + empty:               1,
		"workspace list --context nowhere":            2,
		"workspace list --server ftp://x":             2,
		"restore create aaaaaaaaaaaaaaaaaaaa x --yes": 2,
	} {
		code, out, errs := w.naksha(t, strings.Fields(line)...)
		if code != want || out != "" || errs == "" {
			t.Errorf("%s: exit code %d, not %d; stdout %q, stderr %q", line, code, want, out, errs)
		}
	}
}

func TestRefusedWordsSayWhatIsAccepted(t *testing.T) {
	t.Parallel()
	w := start(t)
	const ref = "must be workspaces/{ref}, where {ref} is the 20 letters that `naksha workspace list` shows"
	for line, want := range map[string]string{
		"workspace get shop":                                     ref,
		"snapshot create nope":                                   ref,
		"workspace create shop --plan big":                       "must be free, pro or enterprise",
		"restore create aaaaaaaaaaaaaaaaaaaa x --yes":            "must be workspaces/{ref}/snapshots/{id}",
		"rotation create aaaaaaaaaaaaaaaaaaaa --quiet-window 1s": "/credentials/{credential}",
	} {
		code, _, errs := w.naksha(t, strings.Fields(line)...)
		if code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %q", line, code, errs)
		}
	}
	key := tenantv1.NewKeyServiceClient(w.dial(t, w.adminKey(t)))
	_, err := key.CreateKey(t.Context(), &tenantv1.CreateKeyRequest{Parent: "workspaces/aaaaaaaaaaaaaaaaaaaa"})
	if f := fault.From(err); !strings.Contains(f.Message, "kind: must be KIND_SECRET or KIND_PUBLIC") {
		t.Errorf("a key of no kind gave %v", err)
	}
}

func TestErrorsAreObjectsInJSONMode(t *testing.T) {
	t.Parallel()
	w := start(t)
	code, out, errs := w.naksha(t, "workspace", "get", "aaaaaaaaaaaaaaaaaaaa", "-o", "json")
	var got struct {
		Error struct{ Code, Reason, Message, Remedy, RequestID string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 3 || errs != "" {
		t.Fatalf("exit code %d, %q, %q: %v", code, out, errs, err)
	}
	if got.Error.Code != "NOT_FOUND" || got.Error.Reason == "" || got.Error.Message == "" {
		t.Errorf("got %+v", got.Error)
	}
}

func TestContextsRememberGatewaysAndNeverKeys(t *testing.T) {
	t.Parallel()
	w := start(t)
	e := w.endpoints
	home := t.TempDir()
	for _, args := range [][]string{
		{"context", "create", "here", "--server", e.Gateway, "--ca-file", e.CAFile, "--key-file", e.AdminKeyFile},
		{"workspace", "list"},
		{"context", "list"},
		{"context", "use", "-"},
		{"context", "use", "here"},
		{"context", "delete", "here"},
	} {
		if code, _, errs := nakshaAt(t, home, args...); code != 0 {
			t.Fatalf("%s: exit code %d: %s", strings.Join(args, " "), code, errs)
		}
		content, err := os.ReadFile(filepath.Join(home, ".config", "naksha", "config.yaml"))
		if err != nil || strings.Contains(string(content), "nk_adm_") {
			t.Fatalf("config file: %s, %v", content, err)
		}
	}
}
