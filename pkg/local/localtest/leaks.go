package localtest

import "go.uber.org/goleak"

// Leaks says which goroutines are left after all tests, or nil. Two of the NATS server's own are overlooked: a stream that
// is made while its server shuts down leaves its flusher and the clock that it shares (nats-server 2.15).
func Leaks() error {
	return goleak.Find(
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*fileStore).flushStreamStateLoop"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"),
	)
}
