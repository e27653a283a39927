package sealed_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/sealed"
)

func identity(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// archive holds a file, a stream of several parts, an empty one, and a file.
func archive(t *testing.T, to *age.X25519Identity, stream []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := sealed.NewWriter(&out, to.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		w.File("first", []byte("secret words")), w.Stream("big", bytes.NewReader(stream)),
		w.Stream("empty", strings.NewReader("")), w.File("last", nil), w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func read(content []byte, id *age.X25519Identity) (map[string][]byte, error) {
	r, err := sealed.NewReader(bytes.NewReader(content), id.String())
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	return found, r.Walk(func(name string, content io.Reader) (err error) {
		found[name], err = io.ReadAll(content)
		return err
	})
}

func TestOnlyTheRecipientReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	owner := identity(t)
	stream := make([]byte, 3<<20+17)
	_, _ = rand.Read(stream)
	content := archive(t, owner, stream)
	if bytes.Contains(content, []byte("secret words")) || bytes.Contains(content, stream[:64]) {
		t.Error("the archive shows its content")
	}
	found, err := read(content, owner)
	if err != nil || string(found["first"]) != "secret words" || !bytes.Equal(found["big"], stream) || found["last"] == nil || found["empty"] == nil {
		t.Errorf("read back %d entries, %v", len(found), err)
	}
	if _, err := read(content, identity(t)); err == nil || !strings.Contains(err.Error(), "another recipient") {
		t.Errorf("another identity: %v", err)
	}
}

func TestShortenedOrAlteredArchiveIsRefused(t *testing.T) {
	t.Parallel()
	owner := identity(t)
	content := archive(t, owner, make([]byte, 300_000))
	for cut := 1; cut < len(content); cut += len(content) / 40 {
		if _, err := read(content[:len(content)-cut], owner); err == nil {
			t.Fatalf("%d bytes fewer are accepted", cut)
		}
	}
	for at := 0; at < len(content); at += len(content) / 40 {
		altered := bytes.Clone(content)
		altered[at] ^= 1
		if _, err := read(altered, owner); err == nil {
			t.Fatalf("byte %d altered is accepted", at)
		}
	}
}

func FuzzReader(f *testing.F) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := read(content, id); err == nil {
			t.Error("an archive that nobody sealed was read")
		}
	})
}
