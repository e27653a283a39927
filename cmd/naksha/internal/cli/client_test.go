package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
)

func TestKeyOfTheEnvironmentCountsMoreThanAStoredFile(t *testing.T) {
	t.Parallel()
	stored := filepath.Join(t.TempDir(), "admin.key")
	if err := os.WriteFile(stored, []byte("stored\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key, file, want string
	}{
		"nothing is given":         {want: "stored"},
		"a key is given":           {key: "given", want: "given"},
		"a key and a file are":     {key: "given", file: stored, want: "stored"},
		"a file alone, that is it": {file: stored, want: "stored"},
	} {
		var given target
		given.addFlags(pflag.NewFlagSet("", pflag.ContinueOnError), func(variable string) string {
			return map[string]string{"NAKSHA_KEY": c.key, "NAKSHA_KEY_FILE": c.file}[variable]
		})
		given.fill(target{KeyFile: stored})
		if got, err := given.readKey(); err != nil || got != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
