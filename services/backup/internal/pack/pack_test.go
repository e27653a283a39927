package pack_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
)

func newCodec(t *testing.T, ref string) *pack.Codec {
	t.Helper()
	root, err := seal.MakeRoot(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := pack.NewCodec(root, ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestSealedBytesOpenOnlyWhereTheyBelong(t *testing.T) {
	t.Parallel()
	c, stranger := newCodec(t, "a"), newCodec(t, "a")
	rapid.Check(t, func(t *rapid.T) {
		plain, place := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.String().Draw(t, "place")
		stored := c.Seal(nil, place, plain)
		got, err := c.Open(place, stored)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %x, %v", got, err)
		}
		at := rapid.IntRange(0, len(stored)-1).Draw(t, "at")
		flipped := bytes.Clone(stored)
		flipped[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		for name, try := range map[string]func() ([]byte, error){
			"flipped":       func() ([]byte, error) { return c.Open(place, flipped) },
			"truncated":     func() ([]byte, error) { return c.Open(place, stored[:at]) },
			"moved":         func() ([]byte, error) { return c.Open(place+"x", stored) },
			"another's key": func() ([]byte, error) { return stranger.Open(place, stored) },
		} {
			if _, err := try(); !errors.Is(err, pack.ErrDamaged) {
				t.Fatalf("%s: %v", name, err)
			}
		}
	})
}

func TestStreamsComeBackFromTheirPacks(t *testing.T) {
	t.Parallel()
	c := newCodec(t, "a")
	rapid.Check(t, func(t *rapid.T) {
		m := &manifest.Manifest{Format: manifest.Format, Snapshot: "s", Attempt: 1}
		packs := map[int][]byte{}
		p := pack.NewPacker(c, m, func(_ context.Context, n int, body []byte) error { packs[n] = body; return nil })
		var plain [][]byte
		for range rapid.IntRange(0, 5).Draw(t, "streams") {
			size := rapid.SampledFrom([]int{0, 1, pack.FrameSize - 1, pack.FrameSize, pack.FrameSize + 1, 3*pack.FrameSize + 7}).Draw(t, "size")
			content := bytes.Repeat([]byte{byte(size), 3, 0}, size/3+1)[:size]
			s := p.Stream(context.Background())
			if _, err := s.Write(content); err != nil {
				t.Fatal(err)
			}
			stream, err := s.Close()
			if err != nil {
				t.Fatal(err)
			}
			plain, m.Tables = append(plain, content), append(m.Tables, manifest.Table{Stream: stream})
		}
		var err error
		if m.Packs, err = p.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		stored, err := c.SealManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		if m, err = c.OpenManifest("s", stored); err != nil {
			t.Fatal(err)
		}
		for i, table := range m.Tables {
			var got []byte
			for _, f := range table.Frames {
				piece, err := c.OpenFrame(m, f, packs[f.Pack])
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, piece...)
			}
			if !bytes.Equal(got, plain[i]) {
				t.Fatalf("stream %d differs", i)
			}
		}
	})
}

func FuzzOpenManifestRefusesEverythingElse(f *testing.F) {
	root, err := seal.MakeRoot(filepath.Join(f.TempDir(), "root.key"))
	if err != nil {
		f.Fatal(err)
	}
	c, err := pack.NewCodec(root, "a")
	if err != nil {
		f.Fatal(err)
	}
	good, err := c.SealManifest(&manifest.Manifest{Format: manifest.Format, Snapshot: "s"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[:len(good)-1])
	f.Add([]byte(manifest.Format))
	f.Fuzz(func(t *testing.T, stored []byte) {
		if _, err := c.OpenManifest("s", stored); err == nil && !bytes.Equal(stored, good) {
			t.Error("opened")
		}
	})
}
