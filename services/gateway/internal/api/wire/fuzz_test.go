package wire

import (
	"bytes"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// FuzzFrame reads any body as a message: it is one, within the limit, or it is refused in words.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 'a'}, "")
	f.Add([]byte{1, 0, 0, 0, 2, 0x1f, 0x8b}, "gzip")
	f.Add([]byte{0, 255, 255, 255, 255}, "identity")
	f.Add([]byte{}, "")
	const limit = 1 << 10
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		message, err := readFrame(bytes.NewReader(body), encoding, limit)
		if err == nil {
			if len(message) > limit {
				t.Errorf("%d bytes passed", len(message))
			}
			return
		}
		if found := fault.From(err); found.Code == codes.Internal || found.Remedy == "" {
			t.Errorf("refused with %v", found)
		}
	})
}

// FuzzTimeout reads any grpc-timeout header.
func FuzzTimeout(f *testing.F) {
	for _, seed := range []string{"1S", "99999999H", "", "S", "-1m", "1", "00000000n", "1µ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		_, cancel, err := deadline(t.Context(), value)
		if err == nil {
			cancel()
		} else if fault.ReasonOf(err) != "TIMEOUT_MALFORMED" {
			t.Errorf("%q: %v", value, err)
		}
	})
}
