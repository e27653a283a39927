package generation

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Password is a secret that shows itself to nobody but Reveal.
type Password string

// Reveal returns the password itself.
func (p Password) Reveal() string { return string(p) }

// Format says REDACTED for every verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("REDACTED")) }

// LogValue says REDACTED in logs.
func (p Password) LogValue() slog.Value { return slog.StringValue("REDACTED") }

// MarshalText says REDACTED in JSON and YAML.
func (p Password) MarshalText() ([]byte, error) { return []byte("REDACTED"), nil }

// Secret is what opens one generation, and what the target keeps to check it.
type Secret struct {
	Password Password
	Verifier Password // SCRAM verifier: enough to pose as the server, so it is a secret as well
}

// Zero says whether there is no secret: the generation was minted by somebody else.
func (s Secret) Zero() bool { return s.Password == "" }

// Encode returns the bytes to be sealed: password, line feed, verifier.
func (s Secret) Encode() []byte { return []byte(s.Password.Reveal() + "\n" + s.Verifier.Reveal()) }

// DecodeSecret reads what Encode made.
func DecodeSecret(b []byte) (Secret, error) {
	password, verifier, ok := strings.Cut(string(b), "\n")
	if !ok || password == "" || verifier == "" {
		return Secret{}, errors.New("the sealed secret is malformed")
	}
	return Secret{Password: Password(password), Verifier: Password(verifier)}, nil
}
