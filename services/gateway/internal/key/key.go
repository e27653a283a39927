// Package key knows what an API key looks like and what is known of whoever holds one. It owns the key's form (DESIGN
// §10) and the choice among the headers that carry it; whether a key is genuine only the tenant service knows.
package key

import (
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Kind says what a key may do.
type Kind string

// The kinds of key.
const (
	Admin  Kind = "admin"  // nk_adm_…: an operator's, of no workspace
	Secret Kind = "secret" // nk_sec_…: a workspace's servers
	Public Kind = "public" // nk_pub_…: a workspace's browsers and apps
)

// Lengths of the parts of a key: nk_<sec|pub|adm>_<kid>_<secret>_<checksum>.
const (
	kidLength      = 12
	secretLength   = 43
	checksumLength = 6
	textLength     = len("nk_sec_") + kidLength + 1 + secretLength + 1 + checksumLength
)

// Identity is who a genuine key stands for.
type Identity struct {
	KID       string    // key id
	Kind      Kind      // what it may do
	Workspace string    // ref; empty for an operator's
	Expires   time.Time // when it stops working, UTC; zero = never
}

// Expired says that the key has stopped working by now.
func (i Identity) Expired(now time.Time) bool { return !i.Expires.IsZero() && !now.Before(i.Expires) }

// Headers are the values of the HTTP headers (or gRPC metadata) that may carry a key, as they were sent.
type Headers struct {
	Authorization []string // `Bearer nk_…`
	APIKey        []string // values of `apikey` and of `x-api-key`
}

// Presented is the one key that h carries. Several headers may repeat the same key, as some clients do; two different
// ones are refused, since nobody could say which was meant.
func Presented(h Headers) (string, error) {
	found := ""
	for _, value := range h.Authorization {
		scheme, token, ok := strings.Cut(strings.TrimSpace(value), " ")
		if !ok || !strings.EqualFold(scheme, "bearer") {
			return "", Malformed()
		}
		if err := agree(&found, token); err != nil {
			return "", err
		}
	}
	for _, value := range h.APIKey {
		if err := agree(&found, value); err != nil {
			return "", err
		}
	}
	if found == "" {
		return "", Missing()
	}
	return found, Check(found)
}

func agree(found *string, value string) error {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return Malformed()
	case *found != "" && *found != value:
		return fault.Unauthenticated("KEY_AMBIGUOUS", "The request carries two different API keys.").
			WithRemedy("Send one key, as `Authorization: Bearer nk_…`.")
	}
	*found = value
	return nil
}

// Check refuses a text that cannot be a key, so that nobody is asked about it.
func Check(text string) error {
	if len(text) != textLength || !kindPrefix(text) {
		return Malformed()
	}
	rest := text[len("nk_sec_"):]
	kid, rest := rest[:kidLength], rest[kidLength:]
	secret, checksum := rest[1:1+secretLength], rest[2+secretLength:]
	if rest[0] != '_' || rest[1+secretLength] != '_' || !base62(kid) || !base62(secret) || !base62(checksum) {
		return Malformed()
	}
	return nil
}

// KID is the key id within a text that Check accepts: no secret, so it may be logged.
func KID(text string) string { return text[len("nk_sec_") : len("nk_sec_")+kidLength] }

func kindPrefix(text string) bool {
	return strings.HasPrefix(text, "nk_sec_") || strings.HasPrefix(text, "nk_pub_") || strings.HasPrefix(text, "nk_adm_")
}

func base62(s string) bool {
	for i := range len(s) {
		b := s[i]
		if (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') {
			return false
		}
	}
	return true
}

// Missing says that a call carries no key.
func Missing() *fault.Fault {
	return fault.Unauthenticated("KEY_MISSING", "The request carries no API key.").
		WithRemedy("Send one as `Authorization: Bearer nk_…`.")
}

// Malformed says that what a call carries is no key.
func Malformed() *fault.Fault {
	return fault.Unauthenticated("KEY_MALFORMED", "What the request carries is not an API key.").
		WithRemedy("Send the whole key, unchanged, as `Authorization: Bearer nk_…`.")
}

// Outlived says that a key has reached its end.
func Outlived() *fault.Fault {
	return fault.Unauthenticated("KEY_EXPIRED", "The API key has expired.").WithRemedy("Make a new key and use it.")
}
