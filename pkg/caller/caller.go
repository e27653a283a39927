// Package caller says who asks: it carries the caller of a request and the request's id through context and gRPC
// metadata. It proves nothing: the gateway authenticates, and rpc decides whose metadata is believed.
package caller

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
)

// Metadata keys.
const (
	MetadataKey          = "naksha-caller-bin" // a Caller as JSON
	RequestIDMetadataKey = "naksha-request-id" // the request id, in requests and replies
)

// maxEncoded bounds the metadata value that is parsed, in bytes.
const maxEncoded = 4 << 10

// Kind is what a caller proved itself with.
type Kind = string

// The kinds of caller.
const (
	Admin   Kind = "admin"   // an admin key: the platform's operators
	Secret  Kind = "secret"  // a workspace's secret key: its servers
	Public  Kind = "public"  // a workspace's public key: its browsers and apps
	Service Kind = "service" // a service's certificate
)

// Caller is who asks. The zero Caller is nobody.
type Caller struct {
	Principal    string `json:"p,omitempty"` // key id (kid), or the service's name
	Kind         Kind   `json:"k,omitempty"`
	Organization string `json:"o,omitempty"` // id; empty = all
	Workspace    string `json:"w,omitempty"` // ref; empty = all
	Service      string `json:"s,omitempty"` // the calling service, from its certificate; never taken from metadata
	RequestID    string `json:"-"`           // travels under its own metadata key
}

type key struct{}

// With returns a context that carries c.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// From returns the caller that ctx carries; false when there is none.
func From(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(key{}).(Caller)
	return c, ok && c.Kind != ""
}

// WithRequestID returns a context that carries id, with the caller unchanged.
func WithRequestID(ctx context.Context, id string) context.Context {
	c, _ := ctx.Value(key{}).(Caller)
	c.RequestID = id
	return With(ctx, c)
}

// RequestID returns the request id that ctx carries, or "".
func RequestID(ctx context.Context) string {
	c, _ := ctx.Value(key{}).(Caller)
	return c.RequestID
}

// NewRequestID returns a fresh request id, a UUIDv7.
func NewRequestID() string {
	id, err := uuid.NewV7()
	if err != nil { // the system's random source failed: crypto/rand never returns from that
		return rand.Text()
	}
	return id.String()
}

// ValidRequestID reports whether a request id sent by a client may enter logs and replies: 1 to 64 of
// letters, digits, '.', '_', ':', '-'.
func ValidRequestID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		if !requestIDByte(id[i]) {
			return false
		}
	}
	return true
}

func requestIDByte(b byte) bool {
	switch {
	case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		return true
	default:
		return b == '.' || b == '_' || b == ':' || b == '-'
	}
}

// ToOutgoing returns a context whose outgoing gRPC metadata names the caller and request id of ctx, and no others.
func ToOutgoing(ctx context.Context) context.Context {
	md, _ := metadata.FromOutgoingContext(ctx)
	md = md.Copy()
	if md == nil {
		md = metadata.MD{}
	}
	delete(md, MetadataKey)
	delete(md, RequestIDMetadataKey)
	if c, ok := From(ctx); ok {
		md.Set(MetadataKey, string(encode(c)))
	}
	if id := RequestID(ctx); ValidRequestID(id) {
		md.Set(RequestIDMetadataKey, id)
	}
	return metadata.NewOutgoingContext(ctx, md)
}

// FromMetadata reads the caller that the sender claims; false when it claims none. Service and RequestID are empty:
// only the receiver knows the first, and the second has its own key.
func FromMetadata(md metadata.MD) (Caller, bool, error) {
	values := md.Get(MetadataKey)
	if len(values) == 0 {
		return Caller{}, false, nil
	}
	if len(values) > 1 || len(values[0]) > maxEncoded {
		return Caller{}, false, fmt.Errorf("read %s: want one value of at most %d bytes", MetadataKey, maxEncoded)
	}
	c, err := decode([]byte(values[0]))
	return c, err == nil, err
}

// RequestIDFrom returns the request id that the sender chose, or a new one when it sent none or a malformed one.
func RequestIDFrom(md metadata.MD) string {
	if values := md.Get(RequestIDMetadataKey); len(values) == 1 && ValidRequestID(values[0]) {
		return values[0]
	}
	return NewRequestID()
}

func encode(c Caller) []byte {
	c.Service = ""
	b, err := json.Marshal(c)
	if err != nil {
		panic("caller: a struct of strings does not marshal: " + err.Error())
	}
	return b
}

func decode(b []byte) (Caller, error) {
	var c Caller
	if err := json.Unmarshal(b, &c); err != nil {
		return Caller{}, fmt.Errorf("read %s: %w", MetadataKey, err)
	}
	switch c.Kind {
	case Admin, Secret, Public, Service:
	default:
		return Caller{}, fmt.Errorf("read %s: unknown kind %q", MetadataKey, c.Kind)
	}
	c.Service = ""
	return c, nil
}
