package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"strings"
)

// Fingerprint is the label set's hash as Prometheus and Alertmanager show it: FNV-1a over the sorted pairs, 16 hex
// digits. It is for people and tools; Key is the identity.
func Fingerprint(labels map[string]string) string {
	h := fnv.New64a()
	writePairs(h, labels)
	return fmt.Sprintf("%016x", h.Sum64())
}

// Key identifies a label set without collisions that somebody could provoke: SHA-256 cut to 32 hex digits.
func Key(labels map[string]string) string {
	h := sha256.New()
	writePairs(h, labels)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// separator follows each name and value; it occurs in no UTF-8 text.
var separator = []byte{0xff}

func writePairs(w io.Writer, labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		_, _ = io.WriteString(w, name) // a hash does not fail
		_, _ = w.Write(separator)
		_, _ = io.WriteString(w, labels[name])
		_, _ = w.Write(separator)
	}
}

// Group is what one incident is about: alerts that agree in some labels.
type Group struct {
	ID  string // Key of the pairs that make it
	Key string // the pairs as a matcher, `{alertname="X", job="y"}`, cut to 500 bytes
}

// maxGroupKey bounds the readable key; the ID identifies.
const maxGroupKey = 500

// GroupOf is the group of a label set by the given label names; names that it lacks do not count.
func GroupOf(labels map[string]string, by []string) Group {
	pairs := map[string]string{}
	for _, name := range by {
		if v := labels[name]; v != "" {
			pairs[name] = v
		}
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(pairs)) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%q", name, pairs[name])
	}
	b.WriteByte('}')
	return Group{ID: Key(pairs), Key: clip(b.String(), maxGroupKey)}
}
