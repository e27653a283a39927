package cell

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	gohash "hash"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// ErrDiffers says that a table's rows are not those of the snapshot.
var ErrDiffers = errors.New("rows differ from the snapshot")

// mirror compares what is written to it with a stream's frames.
type mirror struct {
	frames []manifest.Frame // that are not complete
	hash   gohash.Hash
	room   int64 // bytes until the first of them is complete
	bytes  int64 // that were equal
}

// Write takes bytes, cut anywhere, and fails at the first frame that differs.
func (m *mirror) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if m.hash == nil {
			if len(m.frames) == 0 {
				return 0, fmt.Errorf("more than %d bytes: %w", m.bytes, ErrDiffers)
			}
			m.hash, m.room = sha256.New(), m.frames[0].Bytes
		}
		n := min(int64(len(rest)), m.room)
		m.hash.Write(rest[:n])
		m.room, rest = m.room-n, rest[n:]
		if m.room == 0 {
			if err := m.complete(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (m *mirror) complete() error {
	frame := m.frames[0]
	if hex.EncodeToString(m.hash.Sum(nil)) != frame.SHA256 {
		return fmt.Errorf("after byte %d: %w", m.bytes, ErrDiffers)
	}
	m.frames, m.hash, m.bytes = m.frames[1:], nil, m.bytes+frame.Bytes
	return nil
}

// end says whether the stream ended where the frames do.
func (m *mirror) end() error {
	if len(m.frames) > 0 {
		return fmt.Errorf("ends after byte %d: %w", m.bytes, ErrDiffers)
	}
	return nil
}
