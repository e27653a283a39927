package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindingsOfTheDoctorAreOneObject(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "root.key"), []byte("open to all"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	app := &App{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" }}
	if code := app.Run(t.Context(), []string{"doctor", "-o", "json", "--dir", dir}); code != exitConflict {
		t.Errorf("exit code %d", code)
	}
	var checks []struct {
		Name string
		OK   bool
	}
	d := json.NewDecoder(&out)
	if err := d.Decode(&checks); err != nil || len(checks) == 0 {
		t.Fatalf("no checks: %v", err)
	}
	if err := d.Decode(new(any)); err != io.EOF {
		t.Errorf("something follows the checks: %v", err)
	}
}

func TestTimeoutHasItsExitCode(t *testing.T) {
	t.Parallel()
	if code := exitCode(fmt.Errorf("wait: %w", context.DeadlineExceeded)); code != exitTimeout {
		t.Errorf("exit code %d", code)
	}
}
