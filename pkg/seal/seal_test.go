package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
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

func TestHolderOfASubKeyDerivesNothingOfItsParentOrSiblings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := seal.MakeRoot(filepath.Join(dir, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for holder, r := range map[string]seal.Root{"root": root, "a": root.Sub("service/a"), "b": root.Sub("service/b")} {
		for _, purpose := range []string{"up/password/x", "service/a", "service/b", "tenant"} {
			key := string(r.Key(purpose))
			if other, twice := seen[key]; twice {
				t.Errorf("%s derives %s, which %s has, too", holder, purpose, other)
			}
			seen[key] = holder
		}
	}
	path := filepath.Join(dir, "a.key")
	if err := root.Sub("service/a").Write(path); err != nil {
		t.Fatal(err)
	}
	if given, err := seal.ReadRoot(path); err != nil || !bytes.Equal(given.Key("x"), root.Sub("service/a").Key("x")) {
		t.Errorf("the key in the file is another: %v", err)
	}
}

// TestDerivationStays keeps the format of all that rests sealed, computed by another implementation of RFC 5869.
func TestDerivationStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "root.key")
	zero := base64.StdEncoding.EncodeToString(make([]byte, seal.KeySize))
	if err := os.WriteFile(path, []byte(zero), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := seal.ReadRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string][]byte{
		"3b0508ace4dcb505fcc726c0066ed1c902601def51f81924e89da899b4ff654d": root.Key("service/backup"),
		"736569b6ce2de2814ccde056b106bfa3916f8f9414bb44c20ec95c6444c3d463": root.Sub("service/backup").Key("backup/reader"),
	} {
		if hex.EncodeToString(got) != want {
			t.Errorf("derived %x, want %s", got, want)
		}
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
