// Package pack turns plain bytes into stored ones and back: zstd, then AES-256-GCM under the workspace's own key, bound to
// the place where the bytes lie. It reads and writes no storage. The format is described in services/backup/README.md.
package pack

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/naksha-cloud/naksha/pkg/seal"
)

// FrameSize is the most plain bytes in a frame, ChunkSize those of an object's chunk.
const (
	FrameSize = 1 << 20
	ChunkSize = 8 << 20
)

// ErrDamaged says that stored bytes are not what was written: altered, truncated, moved, or under another key.
var ErrDamaged = errors.New("stored bytes are damaged")

// Codec seals and opens the bytes of one workspace. It is safe for concurrent use.
type Codec struct {
	aead    cipher.AEAD
	address []byte
	zip     *zstd.Encoder
	unzip   *zstd.Decoder
}

// NewCodec derives the workspace's keys from the root key.
func NewCodec(root seal.Root, ref string) (*Codec, error) {
	block, err := aes.NewCipher(root.Key("backup/workspace/" + ref))
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	// The checksum inside zstd is left out: every frame carries a GCM tag and a SHA-256.
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(FrameSize))
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(ChunkSize+FrameSize))
	if err != nil {
		return nil, fmt.Errorf("make decompressor: %w", err)
	}
	return &Codec{aead: aead, address: root.Key("backup/workspace/" + ref + "/address"), zip: zip, unzip: unzip}, nil
}

// Close frees the compressor's memory.
func (c *Codec) Close() {
	_ = c.zip.Close() // it writes to nothing
	c.unzip.Close()
}

// Address is the content address of a chunk: it says nothing about the content to whoever lacks the key.
func (c *Codec) Address(plain []byte) string {
	mac := hmac.New(sha256.New, c.address)
	mac.Write(plain)
	return hex.EncodeToString(mac.Sum(nil))
}

// Seal appends the stored form of plain to dst: nonce, then ciphertext and tag. It opens only under the same place.
func (c *Codec) Seal(dst []byte, place string, plain []byte) []byte {
	return c.sealZipped(dst, place, c.zip.EncodeAll(plain, nil))
}

func (c *Codec) sealZipped(dst []byte, place string, zipped []byte) []byte {
	nonce := make([]byte, c.aead.NonceSize())
	rand.Read(nonce)
	dst = append(dst, nonce...)
	return c.aead.Seal(dst, nonce, zipped, []byte(place))
}

// Open is the reverse of Seal. ErrDamaged: these are not the bytes that were sealed for place.
func (c *Codec) Open(place string, stored []byte) ([]byte, error) {
	size := c.aead.NonceSize()
	if len(stored) < size+c.aead.Overhead() {
		return nil, fmt.Errorf("%s has %d bytes: %w", place, len(stored), ErrDamaged)
	}
	packed, err := c.aead.Open(nil, stored[:size], stored[size:], []byte(place))
	if err != nil {
		return nil, fmt.Errorf("%s does not open: %w", place, ErrDamaged)
	}
	plain, err := c.unzip.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%s does not decompress: %w", place, ErrDamaged)
	}
	return plain, nil
}
