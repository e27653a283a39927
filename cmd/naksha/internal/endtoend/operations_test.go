package endtoend

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestLogLevelChangesWhileItRuns(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, step := range []struct {
		args []string
		code int
		want string // level of the part rotation afterwards
	}{
		{[]string{"log-level", "debug", "--service", "rotation"}, 0, "DEBUG"},
		{[]string{"log-level", "loud"}, 2, "DEBUG"},
		{[]string{"log-level", "debug", "--service", "nobody"}, 3, "DEBUG"},
		{[]string{"log-level", "info", "--service", "rotation"}, 0, "INFO"},
	} {
		if code, out, errs := w.naksha(t, step.args...); code != step.code {
			t.Errorf("%v: exit code %d, %s%s", step.args, code, out, errs)
		}
		if got := levels(t, w)["rotation"]; got != step.want {
			t.Errorf("after %v rotation logs from %s", step.args, got)
		}
	}
}

func levels(t *testing.T, w *world) (all map[string]string) {
	t.Helper()
	code, out, errs := w.naksha(t, "log-level", "-o", "json")
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 {
		t.Fatalf("log levels: exit code %d, %s%s: %v", code, out, errs, err)
	}
	return all
}

func TestSupportBundleTellsMuchAndNoSecret(t *testing.T) {
	t.Parallel()
	w := start(t)
	made, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t))).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "secretive"})
	if err != nil {
		t.Fatal(err)
	}
	c := made.GetCredentials()
	secrets, err := up.Secrets(w.dir)
	if err != nil || len(secrets) < 20 {
		t.Fatalf("%d secrets: %v", len(secrets), err)
	}
	secrets = append(secrets, w.adminKey(t), c.GetDatabasePassword(), c.GetSecretKey())
	plant(t, w.dir, append(secrets, "hunter2hunter2"))
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	if code, _, errs := w.naksha(t, "support-bundle", "--file", file); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if code, _, _ := w.naksha(t, "support-bundle", "--file", file); code == 0 {
		t.Error("a file that was there is overwritten")
	}
	found := unpack(t, file)
	for _, name := range []string{
		"versions.json", "doctor.json", "folders.json", "endpoints.json", "readyz.txt", "metrics.txt", "goroutines/up.txt",
		"processes.txt", "state/naksha.log", "state/configuration/tenant.yaml", "state/postgres/platform/postgres.log",
	} {
		if len(found["naksha-support/"+name]) == 0 {
			t.Errorf("%s is missing: %s", name, found["naksha-support/missing.txt"])
		}
	}
	for name, content := range found {
		for i, secret := range append(secrets, "hunter2hunter2") {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s shows secret %d of %d", name, i, len(secrets))
			}
		}
	}
}

// plant writes secrets into the log, as a mistake of ours or of a library would.
func plant(t *testing.T, dir string, secrets []string) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(dir, up.LogFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i, s := range secrets {
		form := []string{"{\"msg\":\"password=%s\"}\n", "postgres://w:%s@127.0.0.1/x\n", "{\"secret\":\"%s\"}\n"}[i%3]
		if _, err := fmt.Fprintf(log, form, s); err != nil {
			t.Fatal(err)
		}
	}
}

func unpack(t *testing.T, file string) map[string][]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, archive := map[string][]byte{}, tar.NewReader(packed)
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err == nil {
			all[head.Name], err = io.ReadAll(archive)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestUninstallRemovesWhatIsOursAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	home, dir := t.TempDir(), filepath.Join(localtest.TempDir(t), "state")
	p := launch(t, build(t), dir)
	foreign := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := nakshaAt(t, home, "uninstall", "--dir", dir, "--yes"); code != 1 || !strings.Contains(errs, "thesis.tex") {
		t.Errorf("with a file of somebody else: exit code %d: %s", code, errs)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := nakshaAt(t, home, "uninstall", "--dir", home, "--yes"); code != 1 || !strings.Contains(errs, "no state directory") {
		t.Errorf("of somebody's home: exit code %d: %s", code, errs)
	}
	if code, _, errs := nakshaAt(t, home, "uninstall", "--dir", dir); code != 2 || !strings.Contains(errs, "--yes") || !strings.Contains(errs, "root.key") {
		t.Errorf("without --yes: exit code %d: %s", code, errs)
	}
	if reply, err := http.Get(endpoints(t, dir).Admin + "/livez"); err != nil {
		t.Fatalf("the refusals stopped the platform: %v", err)
	} else {
		reply.Body.Close()
	}
	if code, _, errs := nakshaAt(t, home, "uninstall", "--dir", dir, "--yes"); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("the platform did not stop in order: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	noneLeft(t, dir)
}
