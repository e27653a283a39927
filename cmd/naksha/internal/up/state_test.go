package up

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFirstStartThatWasKilledBeginsAgain(t *testing.T) {
	t.Parallel()
	for name, left := range map[string][]string{
		"before the root key":          {fileLock, LogFile},
		"in the middle of it":          {fileLock, fileRootKey + ".new"},
		"in the middle of the version": {fileLock, fileFormat + ".new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, file := range left {
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			first := open(t, dir)
			key := first.password("nats/tenant")
			if err := first.close(); err != nil {
				t.Fatal(err)
			}
			if again := open(t, dir); again.password("nats/tenant") != key {
				t.Error("the second start has another root key")
			}
		})
	}
}

func open(t *testing.T, dir string) *state {
	t.Helper()
	s, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return s
}
