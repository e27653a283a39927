// Package request owns what makes two requests the same: method, workspace, the caller's id and everything else in it. It
// keeps nothing; the store remembers what a request made.
package request

import (
	"crypto/sha256"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// A Key identifies a request, so that a repeat of it has no second effect (AIP-155).
type Key struct {
	Method string
	Ref    string
	ID     uuid.UUID // uuid.Nil = the caller does not repeat
	Digest []byte    // SHA-256 of everything else in the request
}

// KeyOf identifies a request by its id and everything else in it.
func KeyOf(method, ref, requestID string, rest ...string) (Key, error) {
	k := Key{Method: method, Ref: ref}
	if requestID == "" {
		return k, nil
	}
	var err error
	if k.ID, err = uuid.Parse(requestID); err != nil {
		return k, fault.Invalid("REQUEST_ID_INVALID", "request_id is not a UUID.").WithRemedy("Send a UUID, or none.")
	}
	h := sha256.New()
	for _, part := range rest {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	k.Digest = h.Sum(nil)
	return k, nil
}
