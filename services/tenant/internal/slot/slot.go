// Package slot owns what a slot is: a complete, unowned workspace that waits in a cell until it is claimed. A slot's
// secrets are minted when it is built, never when it is claimed.
package slot

import (
	"encoding/json"
	"fmt"
)

// The states of a slot.
const (
	Building = "building" // intent: parts of it may exist under its names
	Ready    = "ready"    // complete, nobody's
	Claimed  = "claimed"  // a workspace's, for ever: refs are not reused
)

// Slot is a slot that is being built.
type Slot struct {
	Ref     string
	Cell    string // id
	Attempt int32  // how often its building was begun; only the newest may finish it
}

// Name is what a slot's secrets are sealed under.
func Name(ref string) string { return "slots/" + ref }

// Secrets are what a slot's customer will be given.
type Secrets struct {
	DatabasePassword string           `json:"database_password,omitempty"`
	S3               map[string]S3Key `json:"s3"` // by region
}

// S3Key is an access key of the slot's S3 user in one region.
type S3Key struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// Encode is the form in which the secrets are sealed.
func (s Secrets) Encode() ([]byte, error) { return json.Marshal(s) }

// DecodeSecrets reads what Encode wrote.
func DecodeSecrets(b []byte) (Secrets, error) {
	var s Secrets
	if err := json.Unmarshal(b, &s); err != nil {
		return Secrets{}, fmt.Errorf("decode a slot's secrets: %w", err)
	}
	return s, nil
}
