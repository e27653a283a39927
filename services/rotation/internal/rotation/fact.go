package rotation

import (
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
)

// RotationRequested says that a rotation was accepted.
type RotationRequested struct {
	Credential credential.Name
	Rotation   string // resource name
}

// CredentialAnnounced says that a new generation works and can be redeemed.
type CredentialAnnounced struct {
	Credential credential.Name
	Rotation   string
	Generation int32
}

// CredentialPromoted says that the holder acknowledged: the generation is the active one.
type CredentialPromoted struct {
	Credential credential.Name
	Rotation   string
	Generation int32
}

// CredentialRotated says that the old generation is proven dead and gone.
type CredentialRotated struct {
	Credential credential.Name
	Rotation   string
	Generation int32 // the active one
	At         time.Time
}

// RotationBlocked says that a rotation waits for a person.
type RotationBlocked struct {
	Credential credential.Name
	Rotation   string
	Reason     Reason
	Message    string // one sentence with the remedy
}
