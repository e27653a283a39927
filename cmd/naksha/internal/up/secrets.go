package up

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/seal"
)

// shortSecret in bytes: what is shorter is no secret of ours, and replacing it would blank out half a log.
const shortSecret = 12

// sealing are the services that keep something sealed, or derive keys of their own. The others get no root key.
var sealing = []string{"tenant", "backup", "rotation"}

// writeServiceKeys gives each of them a root key of its own. They derive from ours: lost ones come back at the next start.
func (s *state) writeServiceKeys() error {
	if err := os.MkdirAll(s.path(dirKeys), 0o700); err != nil {
		return fmt.Errorf("make folder for services' keys: %w", err)
	}
	for _, name := range sealing {
		if err := s.root.Sub("service/" + name).Write(s.serviceKey(name)); err != nil {
			return fmt.Errorf("service %s: %w", name, err)
		}
	}
	return nil
}

// serviceKey is the file with a service's own root key.
func (s *state) serviceKey(name string) string { return s.path(dirKeys, name+".key") }

// password derives the password of one internal user, e.g. `nats/tenant`: nothing to store, nothing to lose.
func (s *state) password(user string) string {
	return base64.RawURLEncoding.EncodeToString(s.root.Key("up/password/" + user))
}

// Secrets are all secrets that the state directory holds or that derive from its root key, so that they can be kept out
// of what leaves the machine. A directory without a root key has none.
func Secrets(dir string) ([]string, error) {
	s := &state{dir: dir}
	var err error
	if s.root, err = seal.ReadRoot(s.path(fileRootKey)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	all, err := s.passwords()
	if err != nil {
		return nil, err
	}
	files := []string{s.path(fileRootKey), s.path(fileAdminKey), s.path(fileNextKey), s.path(fileTap)}
	for _, dir := range []string{"pki", dirKeys} {
		keys, _ := filepath.Glob(s.path(dir, "*.key"))
		files = append(files, keys...)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // not made yet
		}
		all = append(all, strings.Fields(string(content))...)
	}
	return usable(all), nil
}

// passwords are the derived ones, and the S3 keys that rest sealed.
func (s *state) passwords() ([]string, error) {
	rules, err := local.ParsePermissions(permissions)
	if err != nil {
		return nil, err
	}
	users := []string{"postgres/platform", "postgres/cell1", "s3/primary", "s3/dr", "cell/" + ddlRole}
	for _, user := range rules.Users() {
		users = append(users, "nats/"+user)
	}
	for _, name := range Services {
		users = append(users, "database/"+name)
	}
	var all []string
	for _, user := range users {
		all = append(all, s.password(user))
	}
	box, err := s.root.Box("up/s3")
	if err != nil {
		return nil, err
	}
	sealed, _ := filepath.Glob(s.path("s3", "*.sealed"))
	for _, path := range sealed {
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if key, err := openKey(box.Open(filepath.Base(path), content)); err == nil {
			all = append(all, key.Secret.Reveal())
		}
	}
	return all, nil
}

// usable leaves out words that are no secrets (the lines around a PEM block), and adds the form that URLs have.
func usable(words []string) (all []string) {
	for _, word := range words {
		if len(word) < shortSecret || strings.HasPrefix(word, "-----") {
			continue
		}
		all = append(all, word)
		if raw, err := base64.StdEncoding.DecodeString(word); err == nil {
			all = append(all, base64.RawURLEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw))
		}
	}
	return all
}

// SizeOf is how many bytes a file or folder takes; what cannot be read counts nothing.
func SizeOf(path string) (bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // files of a running server come and go
		}
		if info, err := entry.Info(); err == nil && !entry.IsDir() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
