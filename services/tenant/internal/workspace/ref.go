package workspace

import (
	"crypto/rand"
	"strings"
)

// refLength is the length of a ref: 20 of 26 letters are 94 bits, so that a ref is never drawn twice.
const refLength = 20

// NewRef draws a ref: 20 random lowercase letters, never user text.
func NewRef() string {
	ref := make([]byte, 0, refLength)
	for len(ref) < refLength {
		var pool [2 * refLength]byte
		rand.Read(pool[:])
		for _, b := range pool {
			if b < 234 && len(ref) < refLength { // 234 = 9 × 26: every letter equally likely
				ref = append(ref, 'a'+b%26)
			}
		}
	}
	return string(ref)
}

// ValidRef says whether s has the form of a ref. Whatever becomes part of a statement or an address is checked by it.
func ValidRef(s string) bool {
	if len(s) != refLength {
		return false
	}
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

// Name is the resource name `workspaces/{ref}`.
func Name(ref string) string { return "workspaces/" + ref }

// ParseName reads the ref out of `workspaces/{ref}`.
func ParseName(name string) (ref string, ok bool) {
	ref, ok = strings.CutPrefix(name, "workspaces/")
	return ref, ok && ValidRef(ref)
}

// Schema is the workspace's schema in its cell; the NOLOGIN role that owns its content has the same name.
func Schema(ref string) string { return "w_" + ref }

// Bucket is the workspace's bucket, and its S3 user, in each region.
func Bucket(ref string) string { return "w-" + ref }
