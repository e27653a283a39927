package quota

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// limited returns a bucket's state with a limit of 100 bytes, of which 60 lie in two folders.
func limited(t *testing.T) (s *state, dirs [2]string) {
	t.Helper()
	dirs = [2]string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		write(t, filepath.Join(dir, "sub", "file"), 30)
	}
	s = &state{dirs: dirs}
	if err := s.know(func() (int64, error) { return 100, nil }); err != nil {
		t.Fatal(err)
	}
	return s, dirs
}

func write(t *testing.T, path string, size int) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, make([]byte, size), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatLiesInBothFoldersCounts(t *testing.T) {
	t.Parallel()
	s, _ := limited(t)
	if _, used, ok := s.take(41); ok || used != 60 {
		t.Errorf("41 bytes on top of %d: %v", used, ok)
	}
	if _, used, ok := s.take(40); !ok || used != 100 {
		t.Errorf("40 bytes fit: %v, then %d are used", ok, used)
	}
	s.add(-40)
	if _, _, ok := s.take(40); !ok {
		t.Error("what was refunded is not free")
	}
}

func TestDeletedBytesAreFreeAfterAnotherCount(t *testing.T) {
	t.Parallel()
	s, dirs := limited(t)
	if _, _, ok := s.take(41); ok {
		t.Fatal("it fits")
	}
	if err := os.Remove(filepath.Join(dirs[0], "sub", "file")); err != nil {
		t.Fatal(err)
	}
	s.next = time.Now() // the pause is over
	if _, _, ok := s.take(41); ok {
		t.Error("counted again although nobody said that something was freed")
	}
	s.freed()
	if _, used, ok := s.take(41); !ok || used != 71 {
		t.Errorf("after the deletion: %v, %d used", ok, used)
	}
	s.freed()
	s.next = time.Now().Add(time.Hour)
	if _, _, ok := s.take(41); ok || !s.stale {
		t.Error("counted again within the pause")
	}
	s.next, s.stale = time.Now().Add(-2*countLife), false
	if _, used, ok := s.take(41); !ok || used != 71 {
		t.Errorf("an old count still refuses: %v, %d used", ok, used)
	}
}

func TestNoLimitCostsNoCounting(t *testing.T) {
	t.Parallel()
	s := &state{dirs: [2]string{"/nowhere", "/nowhere"}}
	reads := 0
	for range 3 {
		if err := s.know(func() (int64, error) { reads++; return 0, nil }); err != nil {
			t.Fatal(err)
		}
		if _, _, ok := s.take(1 << 40); !ok || s.counted {
			t.Errorf("refused: %v, counted: %v", !ok, s.counted)
		}
	}
	if reads != 1 {
		t.Errorf("the limit was read %d times", reads)
	}
}
