// Package seal keeps secrets unreadable at rest: AES-256-GCM under a key derived from a root key for one purpose, bound
// to the name of the row that holds them. It owns no storage but the root key's file, and never logs.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/file"
)

// KeySize is the size of the root key and of every derived key, in bytes.
const KeySize = 32

// format is the first byte of every sealed value: version 1, AES-256-GCM, 12-byte nonce, AAD = name.
const format = 1

// Root is a root key: the platform's, from which everything derives, or the one that a service was given of it (Sub).
// Whoever has the platform's and the databases can read every secret.
type Root struct{ key []byte }

// ReadRoot reads a root key file: 32 bytes in base64, mode 0600.
func ReadRoot(path string) (Root, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Root{}, fmt.Errorf("root key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Root{}, fmt.Errorf("root key %s can be read by others: run chmod 600 on it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Root{}, fmt.Errorf("root key: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != KeySize {
		return Root{}, fmt.Errorf("root key %s is not 32 bytes in base64: restore it from its backup", path)
	}
	return Root{key: key}, nil
}

// MakeRoot writes a new root key file, durably, unless there is one, and reads it. A crash on the way leaves no root key,
// and at most file.Unfinished beside it: the next MakeRoot begins again. One process at a time may make it.
func MakeRoot(path string) (Root, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return ReadRoot(path)
	}
	made := Root{key: make([]byte, KeySize)}
	rand.Read(made.key)
	if err := made.Write(path); err != nil {
		return Root{}, err
	}
	return ReadRoot(path)
}

// Write puts the key into a file that ReadRoot reads, durably, in the place of what is there.
func (r Root) Write(path string) error {
	if err := file.Replace(path, []byte(base64.StdEncoding.EncodeToString(r.key)+"\n"), 0o600); err != nil {
		return fmt.Errorf("root key: %w", err)
	}
	return nil
}

// Sub derives a root key for one holder, e.g. `service/backup`. Who has it derives no key of its parent or of another
// holder.
func (r Root) Sub(holder string) Root { return Root{key: r.Key(holder)} }

// Key derives the 32-byte key for one purpose, e.g. `tenant/pepper/1` (HKDF-SHA-256, RFC 5869).
func (r Root) Key(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, r.key, nil, "naksha "+purpose, KeySize)
	if err != nil {
		panic(err) // only a key longer than 255 hashes fails
	}
	return key
}

// Box returns a Box under the key of one purpose.
func (r Root) Box(purpose string) (*Box, error) { return NewBox(r.Key(purpose)) }

// Box seals and opens values.
type Box struct{ aead cipher.AEAD }

// NewBox returns a Box under a 32-byte key.
func NewBox(key []byte) (*Box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &Box{aead: aead}, nil
}

// Seal encrypts value. It can be opened only under the same name: a sealed value moved to another row is refused.
func (b *Box) Seal(name string, value []byte) []byte {
	sealed := make([]byte, 1+b.aead.NonceSize(), 1+b.aead.NonceSize()+len(value)+b.aead.Overhead())
	sealed[0] = format
	rand.Read(sealed[1:])
	return b.aead.Seal(sealed, sealed[1:], value, []byte(name))
}

// Open decrypts what Seal made under name. The error says that the value, its name or the root key is not the one that
// it was sealed with.
func (b *Box) Open(name string, sealed []byte) ([]byte, error) {
	start := 1 + b.aead.NonceSize()
	if len(sealed) < start+b.aead.Overhead() || sealed[0] != format {
		return nil, fmt.Errorf("sealed value of %s is malformed", name)
	}
	value, err := b.aead.Open(nil, sealed[1:start], sealed[start:], []byte(name))
	if err != nil {
		return nil, fmt.Errorf("sealed value of %s does not open: it was altered, or sealed under another root key", name)
	}
	return value, nil
}
