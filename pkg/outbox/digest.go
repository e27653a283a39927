package outbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"
)

// digest is the base64 SHA-256 over all that a fact says: its id, aggregate, version, type, workspace, time and payload,
// each behind its length. It travels as the CloudEvents extension `digest`. The server's own checksums find a flipped
// bit when it reads a file; this one also finds what was changed with its checksum, or on the way. It protects from
// damage, not from a forger: who may publish is the permission file's business.
func digest(e Event) string {
	h := sha256.New()
	var size [8]byte
	for _, part := range [][]byte{
		[]byte(e.ID.String()), []byte(e.Aggregate), []byte(strconv.FormatInt(e.Version, 10)), []byte(e.Type),
		[]byte(e.Workspace), []byte(e.At.UTC().Format(time.RFC3339Nano)), e.Payload,
	} {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
