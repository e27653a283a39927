package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/file"
	"github.com/naksha-cloud/naksha/pkg/seal"
)

func TestBoxOpensOnlyWhatItSealedUnderTheSameName(t *testing.T) {
	t.Parallel()
	root, err := seal.MakeRoot(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	box, err := root.Box("test")
	if err != nil {
		t.Fatal(err)
	}
	sealed := box.Seal("row 1", []byte("secret"))
	if bytes.Contains(sealed, []byte("secret")) {
		t.Fatal("sealed value shows the secret")
	}
	value, err := box.Open("row 1", sealed)
	if err != nil || string(value) != "secret" {
		t.Fatalf("got %q, %v", value, err)
	}
	if _, err := box.Open("row 2", sealed); err == nil {
		t.Error("opened under another name")
	}
	other, _ := root.Box("other")
	if _, err := other.Open("row 1", sealed); err == nil {
		t.Error("opened under another purpose")
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := box.Open("row 1", altered); err == nil {
			t.Fatalf("opened with byte %d altered", i)
		}
	}
}

func TestRootKeyStaysTheSameAndPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "root.key")
	first, err := seal.MakeRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.MakeRoot(path)
	if err != nil || !bytes.Equal(first.Key("x"), again.Key("x")) {
		t.Fatalf("second start got another key: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ReadRoot(path); err == nil {
		t.Error("accepted a root key that others can read")
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ReadRoot(path); err == nil {
		t.Error("accepted a malformed root key")
	}
}

func TestRootKeyIsMadeAgainAfterACrashOnTheWay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "root.key")
	if err := os.WriteFile(file.Unfinished(path), []byte("ha"), 0o600); err != nil { // killed in the middle of the write
		t.Fatal(err)
	}
	made, err := seal.MakeRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := seal.ReadRoot(path); err != nil || !bytes.Equal(made.Key("x"), again.Key("x")) {
		t.Errorf("the key is not the one on disk: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func FuzzOpen(f *testing.F) {
	box, err := seal.NewBox(make([]byte, seal.KeySize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := box.Open("x", sealed); err == nil {
			t.Error("opened a value that nobody sealed")
		}
	})
}
