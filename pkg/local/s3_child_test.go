package local

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whoever starts a region chooses its ports before, and somebody else may be faster.
func TestRegionThatFindsItsPortTakenEnds(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir := t.TempDir()
	for range 10 { // it hung one time in four
		order := regionOrder{
			RootAccess: "root", RootSecret: "secret-of-root", SealKey: make([]byte, 32), Dir: filepath.Join(dir, "region"),
			IAMAddress: taken.Addr().String(), Address: "127.0.0.1:1",
		}
		if err := os.MkdirAll(order.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		child := exec.Command(os.Args[0])
		var said bytes.Buffer
		child.Stderr = &said
		child.Dir, child.Env = order.Dir, append(environment(), regionMarker+"=1")
		orders, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		stuck := time.AfterFunc(5*time.Minute, func() { _ = child.Process.Kill() })
		if err := json.NewEncoder(orders).Encode(order); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()
		if !stuck.Stop() {
			t.Fatal("it never ends")
		}
		_ = orders.Close()
		if !strings.Contains(said.String(), "address already in use") {
			t.Fatalf("it ended for another reason: %s", said.String())
		}
	}
}
