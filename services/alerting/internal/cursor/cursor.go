// Package cursor is where a page of a list ended, and the opaque token that says so to clients.
package cursor

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Place is where a page of a list, newest first, ended. The zero Place is before the first.
type Place struct {
	At time.Time // when the last resource of the page was made
	ID string    // its id, which tells equals apart
}

// Token is the place as clients get it; empty for the zero Place.
func (p Place) Token() string {
	if p.At.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(p.At.UTC().Format(time.RFC3339Nano) + " " + p.ID))
}

// Read reads a token; PAGE_TOKEN_INVALID.
func Read(token string, valid func(id string) bool) (Place, error) {
	if token == "" {
		return Place{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return Place{}, malformed()
	}
	at, id, _ := strings.Cut(string(text), " ")
	moment, err := time.Parse(time.RFC3339Nano, at)
	if err != nil || moment.IsZero() || !valid(id) {
		return Place{}, malformed()
	}
	return Place{At: moment.UTC(), ID: id}, nil
}

func malformed() error {
	return fault.Invalid("PAGE_TOKEN_INVALID", "The page token is none of ours.").
		WithRemedy("Send next_page_token of the page before, or none for the first page.")
}
