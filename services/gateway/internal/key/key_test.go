package key_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

const good = "nk_sec_abcDEF012345_0123456789012345678901234567890123456789012_ABCDEF"

// form is the key's form as DESIGN §10 writes it.
var form = regexp.MustCompile(`^nk_(sec|pub|adm)_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$`)

// FuzzCheck compares the parser with the form as a regular expression.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{good, "", "nk_", strings.Replace(good, "sec", "adm", 1), good + "\n", strings.ReplaceAll(good, "_", "-"), strings.Repeat("_", len(good))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := key.Check(text)
		if want := form.MatchString(text) && !strings.HasSuffix(text, "\n"); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && len(key.KID(text)) != 12 {
			t.Errorf("%q: key id %q", text, key.KID(text))
		}
	})
}

func TestTheOneKeyIsFound(t *testing.T) {
	t.Parallel()
	other := strings.Replace(good, "sec", "pub", 1)
	for name, test := range map[string]struct {
		headers key.Headers
		reason  string
	}{
		"none":                  {key.Headers{}, "KEY_MISSING"},
		"bearer":                {key.Headers{Authorization: []string{"Bearer " + good}}, ""},
		"bearer, more space":    {key.Headers{Authorization: []string{" bearer   " + good + " "}}, ""},
		"key alone":             {key.Headers{Authorization: []string{good}}, "KEY_MALFORMED"},
		"header":                {key.Headers{APIKey: []string{good}}, ""},
		"both":                  {key.Headers{Authorization: []string{"Bearer " + good}, APIKey: []string{good, good}}, ""},
		"two":                   {key.Headers{APIKey: []string{good, other}}, "KEY_AMBIGUOUS"},
		"a good and an odd one": {key.Headers{Authorization: []string{"Bearer x"}, APIKey: []string{good}}, "KEY_AMBIGUOUS"},
		"too long":              {key.Headers{APIKey: []string{good + good}}, "KEY_MALFORMED"},
	} {
		found, err := key.Presented(test.headers)
		if fault.ReasonOf(err) != test.reason || err == nil && found != good {
			t.Errorf("%s: %q, %v", name, found, err)
		}
	}
}

func TestAKeyExpiresAtItsMoment(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	who := key.Identity{Expires: end}
	if who.Expired(end.Add(-1)) || !who.Expired(end) || (key.Identity{}).Expired(end) {
		t.Error("wrong about when a key expires")
	}
}
