package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// magic opens a stored manifest, in the clear, so that a person who looks into the bucket knows what lies there.
const magic = manifest.Format + " zstd aes-256-gcm\n"

// maxManifest bounds the plain size of a manifest that is read, in bytes.
const maxManifest = 1 << 30

// SealManifest is the stored form of m.
func (c *Codec) SealManifest(m *manifest.Manifest) ([]byte, error) {
	plain, err := m.Encode()
	if err != nil {
		return nil, err
	}
	return c.Seal([]byte(magic), "manifest "+m.Snapshot, plain), nil
}

// OpenManifest reads the stored manifest of the named snapshot. ErrDamaged as in Open.
func (c *Codec) OpenManifest(name string, stored []byte) (*manifest.Manifest, error) {
	rest, ok := bytes.CutPrefix(stored, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("manifest of %s does not begin with %q: %w", name, magic, ErrDamaged)
	}
	big := *c
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxManifest))
	if err != nil {
		return nil, fmt.Errorf("make decompressor: %w", err)
	}
	defer unzip.Close()
	big.unzip = unzip
	plain, err := big.Open("manifest "+name, rest)
	if err != nil {
		return nil, err
	}
	return manifest.Decode(plain, name)
}

// FramePlace binds a frame to its snapshot, attempt, pack and offset.
func FramePlace(m *manifest.Manifest, f manifest.Frame) string {
	return fmt.Sprintf("frame %s %d %d %d", m.Snapshot, m.Attempt, f.Pack, f.Offset)
}

// OpenFrame takes one frame out of its pack. Its seal proves that it is what was written there. ErrDamaged: it is not.
func (c *Codec) OpenFrame(m *manifest.Manifest, f manifest.Frame, pack []byte) ([]byte, error) {
	place := FramePlace(m, f)
	if f.Offset < 0 || f.Length < 0 || f.Offset+f.Length > int64(len(pack)) {
		return nil, fmt.Errorf("%s lies outside of its pack of %d bytes: %w", place, len(pack), ErrDamaged)
	}
	plain, err := c.Open(place, pack[f.Offset:f.Offset+f.Length])
	if err != nil {
		return nil, err
	}
	if int64(len(plain)) != f.Bytes {
		return nil, fmt.Errorf("%s has %d bytes, not %d: %w", place, len(plain), f.Bytes, ErrDamaged)
	}
	return plain, nil
}

// ChunkPlace binds an object's chunk to its address.
func ChunkPlace(address string) string { return "chunk " + address }

// OpenChunk opens a stored chunk and compares it with its address. ErrDamaged as in Open.
func (c *Codec) OpenChunk(chunk manifest.Chunk, stored []byte) ([]byte, error) {
	plain, err := c.Open(ChunkPlace(chunk.Address), stored)
	if err != nil {
		return nil, err
	}
	if c.Address(plain) != chunk.Address || int64(len(plain)) != chunk.Bytes {
		return nil, fmt.Errorf("chunk %s has another content: %w", chunk.Address, ErrDamaged)
	}
	return plain, nil
}

// Sum is the SHA-256 of b in hex.
func Sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
