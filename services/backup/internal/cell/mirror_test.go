package cell

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

func TestOnlyTheSameBytesPassTheComparison(t *testing.T) {
	t.Parallel()
	stored := []string{"1\tone\n2\ttwo\n", "3\tthr", "ee\n"}
	for name, c := range map[string]struct {
		rows string
		same bool
	}{
		"the same":           {"1\tone\n2\ttwo\n3\tthree\n", true},
		"another value":      {"1\tone\n2\ttwO\n3\tthree\n", false},
		"another last value": {"1\tone\n2\ttwo\n3\tthreE\n", false},
		"another order":      {"2\ttwo\n1\tone\n3\tthree\n", false},
		"a row less":         {"1\tone\n2\ttwo\n", false},
		"a row more":         {"1\tone\n2\ttwo\n3\tthree\n4\tfour\n", false},
		"nothing":            {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mirror{frames: framesOf(stored)}
			_, err := io.Copy(struct{ io.Writer }{m}, iotest.OneByteReader(strings.NewReader(c.rows)))
			err = errors.Join(err, m.end())
			if c.same && err != nil || !c.same && !errors.Is(err, ErrDiffers) {
				t.Errorf("same is %v, the comparison says %v", c.same, err)
			}
		})
	}
}

func framesOf(parts []string) (frames []manifest.Frame) {
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		frames = append(frames, manifest.Frame{Bytes: int64(len(p)), SHA256: hex.EncodeToString(sum[:])})
	}
	return frames
}
