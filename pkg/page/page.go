// Package page owns the position in a list, newest first, as an opaque token. It refuses tokens of another list.
package page

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// defaultSize is the size of a page when none is asked for.
const defaultSize = 50

// Size is the size of the page that was asked for; 0 = 50.
func Size(asked int32) int { return cmp.Or(int(asked), defaultSize) }

// Cursor is the last entry of a page. The zero Cursor is before the first.
type Cursor struct {
	Time time.Time
	ID   string
}

// First says that the list starts here.
func (c Cursor) First() bool { return c.ID == "" }

// stampSize and timeSize are the bytes of a token before the id.
const stampSize, timeSize = 4, 8

// Token writes the cursor for the list that was asked for by query.
func (c Cursor) Token(query string) string {
	b := stamp(query)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Time.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, c.ID...))
}

// Parse reads a token that Token wrote for the same query, whose id is valid; empty = the first page.
func Parse(token, query string, valid func(id string) bool) (Cursor, error) {
	if token == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= stampSize+timeSize || string(b[:stampSize]) != string(stamp(query)) {
		return Cursor{}, invalid()
	}
	id := string(b[stampSize+timeSize:])
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(b[stampSize:]))).UTC()
	if !valid(id) || at.Year() < 2000 || at.Year() > 9999 {
		return Cursor{}, invalid()
	}
	return Cursor{Time: at, ID: id}, nil
}

// IsUUID is for lists whose ids are UUIDs, as they are written.
func IsUUID(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && parsed.String() == id
}

func stamp(query string) []byte {
	sum := sha256.Sum256([]byte(query))
	return sum[:stampSize]
}

func invalid() error {
	return fault.Invalid("PAGE_TOKEN_INVALID", "The page token is not one of this list.").
		WithRemedy("Pass next_page_token of the page before with the same filter, or leave it empty.").
		WithField("page_token", "is not one of this list")
}
