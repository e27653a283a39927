package key

import "time"

// Revocation says that keys stopped working: one key, or all of a workspace. Every replica of the door hears of it.
type Revocation struct {
	Seq       int64     // order of arrival, with gaps
	KID       string    // key id; empty = see Workspace
	Workspace string    // ref; empty = see KID
	At        time.Time // when this service heard of it, UTC
}
