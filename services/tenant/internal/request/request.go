// Package request owns what a repeated order is: a request_id that was seen before (AIP-155). It refuses the same id
// with another body.
package request

import (
	"bytes"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// ReplayWindow is how long a reply with secrets is kept, sealed, for a repeat.
const ReplayWindow = 24 * time.Hour

// Request is one order that may be repeated. The zero ID means no protection.
type Request struct {
	Method      string // the RPC
	Principal   string // who asks
	ID          string // UUID; empty = none
	Fingerprint []byte // SHA-256 of the body without its request_id
}

// Protected says whether a repeat is to be found.
func (r Request) Protected() bool { return r.ID != "" }

// SealName is what the reply is sealed under.
func (r Request) SealName() string { return "requests/" + r.Method + "/" + r.Principal + "/" + r.ID }

// Seen is what is known of an order that was carried out.
type Seen struct {
	Fingerprint []byte
	Resource    string    // name of what it made or changed
	Reply       []byte    // sealed; nil when withheld
	CreateTime  time.Time // UTC
}

// Check refuses a repeat whose body is another.
func (s Seen) Check(r Request) error {
	if bytes.Equal(s.Fingerprint, r.Fingerprint) {
		return nil
	}
	return fault.Exists("REQUEST_ID_REUSED", "The request_id was used before for another request.").
		WithRemedy("Draw a new UUID for each new request.").WithField("request_id", "was used for another request")
}

// Replayable says whether the reply may still be shown at now.
func (s Seen) Replayable(now time.Time) bool {
	return s.Reply != nil && now.Sub(s.CreateTime) < ReplayWindow
}
