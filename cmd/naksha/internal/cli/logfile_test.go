package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestLogStaysShortAndKeepsItsNewestLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "naksha.log")
	for start := range 3 { // a new start goes on with what is there
		log, err := openLogFile(path, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if n, err := fmt.Fprintf(log, "start %d line %d\n", start, i); err != nil || n != 15 {
				t.Fatalf("%d, %v", n, err)
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	older, err := os.ReadFile(path + ".1")
	if err != nil || len(older) != 90 {
		t.Errorf("the older log is %q, %v", older, err)
	}
	newer, err := os.ReadFile(path)
	if err != nil || len(newer) > 100 || !bytes.HasSuffix(newer, []byte("start 2 line 9\n")) {
		t.Errorf("the log is %q, %v", newer, err)
	}
	if all := bytes.Count(append(older, newer...), []byte("\n")); all < 7 {
		t.Errorf("%d lines are kept", all)
	}
}

func TestLogThatIsNoFileIsLeftInItsPlace(t *testing.T) {
	t.Parallel()
	log, err := openLogFile(os.DevNull, 10)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := log.Write([]byte("a line of more than ten bytes\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(os.DevNull + ".1"); !os.IsNotExist(err) {
		t.Errorf("it was moved: %v", err)
	}
}
