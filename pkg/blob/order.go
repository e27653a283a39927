package blob

import (
	"strings"
	"time"
)

// Newer says whether version a of a key came after version b, where b was listed before a. Servers differ: AWS lists a
// key's versions newest first, versitygw lists delete markers apart from the versions, but its version ids sort by time.
func Newer(a, b Version) bool {
	switch {
	case a.Latest != b.Latest:
		return a.Latest
	case isULID(a.VersionID) && isULID(b.VersionID):
		return a.VersionID > b.VersionID
	}
	return a.Modified.Truncate(time.Second).After(b.Modified.Truncate(time.Second))
}

// Kept says that the version has an id of its own: its bytes stay what they are when the key is written again. "null" names
// what was written last without one, as versitygw's objects whose key ends in a slash always are.
func (v Version) Kept() bool { return v.VersionID != "" && v.VersionID != "null" }

// Written is when the version was written, as exactly as the server tells it. A ULID holds the time in milliseconds, while
// versitygw's own Modified has seconds, or for a delete marker the time at which another version covered it.
func (v Version) Written() time.Time {
	if !isULID(v.VersionID) {
		return v.Modified
	}
	var ms int64
	for i := range 10 {
		ms = ms<<5 | int64(strings.IndexByte(crockford, v.VersionID[i]))
	}
	return time.UnixMilli(ms).UTC()
}

// crockford are the digits of Crockford's base 32.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// isULID reports whether id has the form of a ULID (github.com/ulid/spec): 26 digits in Crockford's base 32, 128 bits.
func isULID(id string) bool {
	return len(id) == 26 && id[0] <= '7' && strings.Trim(id, crockford) == ""
}
