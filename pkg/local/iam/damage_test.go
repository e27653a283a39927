package iam_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/versity/versitygw/iamapi/types"

	"github.com/naksha-cloud/naksha/pkg/local/iam"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// journal returns a folder with n users, and the file's content.
func journal(t *testing.T, n int) (dir string, content []byte) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, dir)
	for i := range n {
		_, err := s.CreateUser(context.Background(), types.User{UserName: fmt.Sprint("user-", i), UserID: fmt.Sprint(i)})
		must(t, err)
	}
	closed(t, s)
	content, err := os.ReadFile(filepath.Join(dir, file))
	must(t, err)
	return dir, content
}

func write(t *testing.T, dir string, content []byte) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, file), content, 0o600))
}

func TestAnUnfinishedEndIsCutOffAndTheRestServes(t *testing.T) {
	t.Parallel()
	dir, whole := journal(t, 3)
	_, shorter := journal(t, 2)
	last := len(whole) - len(shorter) // length of the last record
	for _, missing := range []int{1, last / 2, last - 1, last - 15} {
		write(t, dir, whole[:len(whole)-missing])
		s, cut, err := iam.Open(dir, sealKey())
		if err != nil || cut != int64(last-missing) {
			t.Fatalf("%d bytes are missing: %d cut off, %v", missing, cut, err)
		}
		for i, want := range []string{"", "", "NoSuchEntity"} {
			if _, err := s.GetUser(t.Context(), fmt.Sprint("user-", i)); (err != nil) != (want != "") {
				t.Errorf("user %d: %v", i, err)
			}
		}
		_, err = s.CreateUser(t.Context(), types.User{UserName: "later", UserID: "later"})
		must(t, err)
		closed(t, s)
		again := open(t, dir)
		if _, err := again.GetUser(t.Context(), "later"); err != nil {
			t.Error(err)
		}
		closed(t, again)
	}
	zeros := append(bytes.Clone(whole[:len(whole)-last/2]), make([]byte, last/2)...) // a file that grew before it was filled
	write(t, dir, zeros)
	if _, cut, err := iam.Open(dir, sealKey()); err != nil || cut != int64(last) {
		t.Errorf("an end of zeros: %d cut off, %v", cut, err)
	}
}

func TestADamagedMiddleIsRefused(t *testing.T) {
	t.Parallel()
	dir, whole := journal(t, 4)
	for at := 0; at < len(whole)*3/4; at += 7 {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x10
		write(t, dir, damaged)
		if _, _, err := iam.Open(dir, sealKey()); !errors.Is(err, iam.ErrDamaged) || !strings.Contains(err.Error(), "backup") {
			t.Errorf("bit flipped at %d of %d: %v", at, len(whole), err)
		}
	}
	for name, damaged := range map[string][]byte{
		"a record is missing":  append(bytes.Clone(whole[:100]), whole[200:]...),
		"a record is repeated": append(bytes.Clone(whole), whole[len(whole)-300:]...),
		"empty":                {},
		"text":                 []byte(`{"users":{}}`),
	} {
		write(t, dir, damaged)
		if _, _, err := iam.Open(dir, sealKey()); name != "a record is repeated" && !errors.Is(err, iam.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnotherKeyIsRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	dir, whole := journal(t, 1)
	other := bytes.Repeat([]byte{1}, iam.KeySize)
	_, _, err := iam.Open(dir, other)
	if !errors.Is(err, iam.ErrWrongKey) || !strings.Contains(err.Error(), "root key") {
		t.Errorf("another key: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, file)); !bytes.Equal(whole, after) {
		t.Error("the file was changed")
	}
	if _, _, err := iam.Open(dir, []byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}

func TestNothingReadableIsOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	addUser(t, s, "customer")
	closed(t, s)
	content, err := os.ReadFile(filepath.Join(dir, file))
	must(t, err)
	for _, word := range []string{"secret of", "customer", "AKIA"} {
		if bytes.Contains(content, []byte(word)) {
			t.Errorf("the file holds %q", word)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("naksha iam 1\n"), 3)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, tail []byte, cut int) {
		dir, whole := journal(t, 2)
		write(t, dir, append(whole[:len(whole)-min(max(cut, 0), len(whole))], tail...))
		s, _, err := iam.Open(dir, sealKey())
		if err == nil {
			closed(t, s)
		}
	})
}

func TestFullDiskRefusesChangesAndHealsByItself(t *testing.T) {
	t.Parallel()
	disk := localtest.Disk(t, 1<<20)
	s := open(t, disk.Dir)
	addUser(t, s, "before")
	must(t, disk.Fill())
	refused := false
	for i := range 50 {
		_, err := s.CreateUser(t.Context(), types.User{UserName: fmt.Sprint("full-", i), UserID: fmt.Sprint("full-", i)})
		if refused = err != nil; refused {
			break
		}
	}
	if !refused {
		t.Error("a full disk takes users")
	}
	if _, err := s.GetUser(t.Context(), "before"); err != nil {
		t.Errorf("a full disk cannot be read: %v", err)
	}
	must(t, disk.Free())
	addUser(t, s, "after")
	again := open(t, disk.Dir)
	if _, err := again.GetUser(t.Context(), "after"); err != nil {
		t.Error(err)
	}
	if _, err := again.GetUserByAccessKeyID(t.Context(), "AKIAbefore"); err != nil {
		t.Error(err)
	}
	closed(t, again)
	closed(t, s)
}
