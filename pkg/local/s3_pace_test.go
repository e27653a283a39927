package local

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/versity/versitygw/s3err"
)

// trickle sends size bytes and then waits, again and again, and returns what the server read in which time.
func trickle(t *testing.T, size int, wait time.Duration, rounds int) (read int, took time.Duration, err error) {
	t.Helper()
	server, client := net.Pipe()
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer client.Close()
		for range rounds {
			if _, err := client.Write(make([]byte, size)); err != nil {
				return
			}
			select {
			case <-time.After(wait):
			case <-done:
			}
		}
	}()
	begun := time.Now()
	b := &requestBody{stream: server, left: -1, most: 1 << 40, pace: newPace(server)}
	content, err := io.ReadAll(b)
	_ = server.Close()
	return len(content), time.Since(begun), err
}

func TestBodyThatIsSilentOrTricklesIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size   int
		wait   time.Duration
		within time.Duration
	}{
		"silent after a little":   {10, time.Hour, patience + time.Second},
		"silent after a lot":      {10 << 20, time.Hour, patience + time.Second},
		"a byte every second":     {1, time.Second, patience + time.Second},
		"half of what is enough":  {4 << 10, time.Second, 2*patience + 2*time.Second},
		"a byte every 29 seconds": {1, 29 * time.Second, 2 * patience},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, took, err := trickle(t, test.size, test.wait, 1000)
				var refusal s3err.APIError
				if !errors.As(err, &refusal) || refusal.Code != "RequestTimeout" || took > test.within {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

func TestSlowButSteadyBodyIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rounds = 1000
		if read, took, err := trickle(t, 9<<10, time.Second, rounds); err != nil || read != rounds*9<<10 {
			t.Errorf("%d bytes in %v: %v", read, took, err)
		}
	})
}

func TestNothingIsReadBeyondWhatIsDrained(t *testing.T) {
	t.Parallel()
	server, client := net.Pipe()
	t.Cleanup(func() { _, _ = server.Close(), client.Close() })
	for content, want := range map[string]bool{"": true, strings.Repeat("x", mostDrained): true, strings.Repeat("x", mostDrained+1): false} {
		b := &requestBody{stream: strings.NewReader(content), left: -1, most: 10, pace: newPace(server)}
		if got := b.finish(server); got != want {
			t.Errorf("%d bytes: %v", len(content), got)
		}
	}
}

func TestShareIsGivenBack(t *testing.T) {
	t.Parallel()
	s := newShares(2)
	for i, taken := range []bool{true, true, false} {
		if s.take("a") != taken {
			t.Errorf("place %d of two is taken: %v", i+1, !taken)
		}
	}
	if !s.take("b") {
		t.Error("one key takes another's share")
	}
	s.give("a")
	if !s.take("a") {
		t.Error("a place that was given back is not free")
	}
	for _, key := range []string{"a", "a", "b"} {
		s.give(key)
	}
	if len(s.taken) != 0 {
		t.Errorf("%d keys are remembered", len(s.taken))
	}
}
