package support

import (
	"regexp"
	"strings"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

// redacted stands in place of a secret.
const redacted = "REDACTED"

// looksSecret is what a secret looks like that is not of the state directory: a key of a customer, the password in a URL,
// a private key, a value that follows a telling word.
var looksSecret = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`nk_(sec|pub|adm)_[A-Za-z0-9]{12}_[A-Za-z0-9]+_[A-Za-z0-9]+`), redacted},
	{regexp.MustCompile(`(://[^/\s:@"]*):[^@\s/"]+@`), "${1}:" + redacted + "@"},
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----`), redacted},
	{regexp.MustCompile(`(?i)((?:password|secret|token|authorization)[\w-]*"?\s*[=:]\s*"?(?:bearer\s+|basic\s+)?)[^\s",}]+`), "${1}" + redacted},
}

// redactor knows the secrets of one state directory.
type redactor struct{ known *strings.Replacer }

func newRedactor(dir string) (redactor, error) {
	secrets, err := up.Secrets(dir)
	if err != nil {
		return redactor{}, err
	}
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, redacted)
	}
	return redactor{strings.NewReplacer(pairs...)}, nil
}

func (r redactor) clean(content []byte) []byte {
	text := r.known.Replace(string(content))
	for _, s := range looksSecret {
		text = s.pattern.ReplaceAllString(text, s.instead)
	}
	return []byte(text)
}
