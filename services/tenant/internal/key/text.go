package key

import (
	"hash/crc32"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/base62"
)

// Lengths of a key's parts, in base62 digits: `nk_<kind>_<kid, 12>_<secret, 43>_<CRC-32, 6>`.
const (
	KidLength    = 12
	secretLength = 43 // 256 bits
	crcLength    = 6  // 32 bits
	prefix       = "nk_"
	textLength   = len(prefix) + 3 + 1 + KidLength + 1 + secretLength + 1 + crcLength
)

// New draws a key of a kind.
func New(kind Kind) (kid, text string) {
	kid = base62.Draw(KidLength)
	body := prefix + string(kind) + "_" + kid + "_" + base62.Draw(secretLength)
	return kid, body + "_" + checksum(body)
}

// Parse reads a key's kind and id. The checksum only tells a typing error or another's token from a key of ours.
func Parse(text string) (kind Kind, kid string, err error) {
	if len(text) != textLength || !strings.HasPrefix(text, prefix) {
		return "", "", malformed()
	}
	body, sum := text[:textLength-crcLength-1], text[textLength-crcLength:]
	parts := strings.Split(body[len(prefix):], "_")
	if len(parts) != 3 || text[len(body)] != '_' || sum != checksum(body) {
		return "", "", malformed()
	}
	kind, kid = Kind(parts[0]), parts[1]
	if !kind.Known() || !digits(kid, KidLength) || !digits(parts[2], secretLength) {
		return "", "", malformed()
	}
	return kind, kid, nil
}

// ValidKid says whether s is written like the id of a key.
func ValidKid(s string) bool { return digits(s, KidLength) }

func malformed() error {
	return fault.Unauthenticated("KEY_MALFORMED", "This is not an API key.").
		WithRemedy("Send the key as it was shown when it was made: nk_sec_….")
}

// checksum is the CRC-32 (IEEE 802.3) of body as six base62 digits.
func checksum(body string) string { return base62.Format(crc32.ChecksumIEEE([]byte(body)), crcLength) }

func digits(s string, n int) bool {
	if len(s) != n {
		return false
	}
	return strings.Trim(s, base62.Alphabet) == ""
}
