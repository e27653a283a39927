package up

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/seal"
)

// purposes are what is derived anywhere, each from its holder's root key alone.
var purposes = []string{
	"up/password/postgres/platform", "up/password/postgres/cell1", "up/password/cell/" + ddlRole, "up/password/s3/primary",
	"up/password/nats/tenant", "up/password/database/tenant", "up/s3", "up/s3-users/primary", "service/tenant", "service/backup",
	"service/rotation", "tenant", "tenant/pepper/1", "rotation", "backup/reader", "backup/workspace/a", "backup/workspace/a/address",
}

func TestWhatAServiceIsGivenDerivesNeitherPasswordsNorKeysOfOthers(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	held := map[string]string{} // key → who has it
	derive := func(holder string, root seal.Root) {
		for _, purpose := range purposes {
			key := string(root.Key(purpose))
			if other, known := held[key]; known {
				t.Errorf("%s derives %s, which is %s's", holder, purpose, other)
			}
			held[key] = holder
		}
	}
	files := map[string]string{"up": s.path(fileRootKey)}
	for _, name := range sealing {
		files[name] = s.serviceKey(name)
	}
	for holder, path := range files {
		given, err := seal.ReadRoot(path) // refuses one that others can read
		if err != nil {
			t.Fatal(err)
		}
		derive(holder, given)
		text, err := os.ReadFile(path)
		if other, known := held[string(text)]; err != nil || known {
			t.Errorf("%s has the key of %s: %v", holder, other, err)
		}
		held[string(text)] = holder
	}
}

func TestServiceKeysAreTheSameAfterTheyWereLostOrDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	before, err := os.ReadFile(first.serviceKey("backup"))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(first.serviceKey("backup"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(first.serviceKey("tenant")); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if after, err := os.ReadFile(again.serviceKey("backup")); err != nil || !bytes.Equal(after, before) {
		t.Errorf("another key: %v", err)
	}
	if _, err := seal.ReadRoot(again.serviceKey("tenant")); err != nil {
		t.Error(err)
	}
}

func TestServiceKeysStayOutOfWhatLeavesTheMachine(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	secrets, err := Secrets(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sealing {
		key, err := os.ReadFile(s.serviceKey(name))
		if err != nil || !slices.Contains(secrets, strings.TrimSpace(string(key))) {
			t.Errorf("the key of %s is not known as a secret: %v", name, err)
		}
	}
}

func TestBackupOfAnotherLayoutIsRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	for _, other := range []int{format - 1, format + 1} {
		head, err := json.Marshal(manifest{Format: other, Version: "v0"})
		if err != nil {
			t.Fatal(err)
		}
		if err := checkManifest(bytes.NewReader(head)); err == nil || !strings.Contains(err.Error(), "restore it with that release") {
			t.Errorf("format %d: %v", other, err)
		}
	}
}
