package local

import (
	"net"
	"os"
	"testing"
)

func TestOnlyTheProcessThatListensCounts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if !listens(os.Getpid(), port) {
		t.Error("this process listens and does not count")
	}
	if listens(os.Getppid(), port) {
		t.Error("another process counts")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if listens(os.Getpid(), port) {
		t.Error("a closed port counts")
	}
}
