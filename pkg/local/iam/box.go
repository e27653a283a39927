package iam

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// KeySize is the length of the sealing key in bytes: AES-256-GCM.
const KeySize = 32

const (
	nonceSize, tagSize = 12, 16
	// headSize in bytes: magic, a random file id, a nonce and the tag of nothing, a CRC-32C of them.
	headSize = len(magic) + idSize + nonceSize + tagSize + crcSize
	magic    = "naksha iam 1\n"
	idSize   = 16
	crcSize  = 4
	// frameSize in bytes, before each record: its number (8), its length (4), a CRC-32C of both and the file id (4).
	frameSize = 16
)

// box seals the records of one journal file. A record opens only in its file and at its place: the file's id and the
// record's number are authenticated with it.
type box struct {
	aead cipher.AEAD
	id   [idSize]byte
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the sealing key has %d bytes, not %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// newHead begins a file: a box with a fresh id, and the head that lets the key be recognised later.
func newHead(aead cipher.AEAD) (box, []byte) {
	b := box{aead: aead}
	rand.Read(b.id[:])
	head := append([]byte(magic), b.id[:]...)
	head = b.seal(head, nil, head)
	return b, binary.BigEndian.AppendUint32(head, crc32.Checksum(head, castagnoli()))
}

// openHead reads the head of a file.
func openHead(aead cipher.AEAD, head []byte) (box, error) {
	sum := headSize - crcSize
	if len(head) < headSize || string(head[:len(magic)]) != magic ||
		binary.BigEndian.Uint32(head[sum:]) != crc32.Checksum(head[:sum], castagnoli()) {
		return box{}, ErrDamaged
	}
	b := box{aead: aead, id: [idSize]byte(head[len(magic):])}
	named := len(magic) + idSize
	if _, err := b.open(head[named:sum], head[:named]); err != nil {
		return box{}, ErrWrongKey
	}
	return b, nil
}

// frame returns a record as it stands in the file.
func (b box) frame(number uint64, content []byte) []byte {
	length := nonceSize + len(content) + tagSize
	out := make([]byte, 0, frameSize+length)
	out = binary.BigEndian.AppendUint64(out, number)
	out = binary.BigEndian.AppendUint32(out, uint32(length))
	out = binary.BigEndian.AppendUint32(out, b.sum(out))
	return b.seal(out, content, b.name(number))
}

// unframe reads the record with which data begins. It returns its number, content and whole size; ok is false where no
// sound record begins.
func (b box) unframe(data []byte) (number uint64, content []byte, size int, ok bool) {
	if len(data) < frameSize || binary.BigEndian.Uint32(data[12:]) != b.sum(data[:12]) {
		return 0, nil, 0, false
	}
	number, size = binary.BigEndian.Uint64(data), frameSize+int(binary.BigEndian.Uint32(data[8:]))
	if len(data) < size {
		return 0, nil, 0, false
	}
	content, err := b.open(data[frameSize:size], b.name(number))
	return number, content, size, err == nil
}

func (b box) sum(start []byte) uint32 {
	return crc32.Update(crc32.Checksum(b.id[:], castagnoli()), castagnoli(), start)
}

// name is what a record is bound to.
func (b box) name(number uint64) []byte {
	return binary.BigEndian.AppendUint64(b.id[:len(b.id):len(b.id)], number)
}

// seal appends nonce and ciphertext to out.
func (b box) seal(out, content, name []byte) []byte {
	var nonce [nonceSize]byte
	rand.Read(nonce[:])
	return b.aead.Seal(append(out, nonce[:]...), nonce[:], content, name)
}

func (b box) open(sealed, name []byte) ([]byte, error) {
	if len(sealed) < nonceSize+tagSize {
		return nil, ErrDamaged
	}
	return b.aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], name)
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
