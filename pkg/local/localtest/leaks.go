package localtest

import (
	"fmt"
	"os"
	"time"

	"go.uber.org/goleak"
)

// NoLeaks turns a goroutine that outlives all tests into a failure: code is the tests' exit code, the result the process's.
func NoLeaks(code int) int {
	if code != 0 {
		return code
	}
	if err := Leaks(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Leaks says which goroutines are left, or nil. Two of the NATS server's own are overlooked: a stream that is made while
// its server shuts down leaves its flusher and the clock that it shares (nats-server 2.15).
func Leaks() (err error) {
	overlooked := []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*fileStore).flushStreamStateLoop"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"),
	}
	for deadline := time.Now().Add(Bar(5 * time.Second)); ; { // each look takes half a second itself
		if err = goleak.Find(overlooked...); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
