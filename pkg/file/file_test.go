package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/file"
)

func TestReplacedFileIsWholeAndPrivateWhateverACrashLeft(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	for _, content := range []string{"first", "2"} {
		if err := os.WriteFile(file.Unfinished(path), []byte("half of something longer"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := file.Replace(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("%q, %v", got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if _, err := os.Stat(file.Unfinished(path)); !os.IsNotExist(err) {
			t.Errorf("something is left: %v", err)
		}
	}
}

func TestReplaceThatFailsLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := file.Replace(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file.Unfinished(path), 0o700); err != nil { // root, too, cannot write to a folder
		t.Fatal(err)
	}
	if err := file.Replace(path, []byte("new"), 0o600); err == nil {
		t.Error("the failure was not told")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("%q, %v", got, err)
	}
}
