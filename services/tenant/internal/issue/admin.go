package issue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/file"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
)

// NextSuffix follows the name of the file of an operator's key that does not work yet.
const NextSuffix = ".next"

// Admin revokes the operators' keys that were made before since, zero = none. Where no other is left it makes one, and
// writes its text to path (0600): first beside it, and in its place once the record is durable. A start that dies leaves
// the old file and its key, or a new one that the next start puts in its place.
func (i *Issuer) Admin(ctx context.Context, path string, since time.Time) error {
	if path == "" {
		return nil
	}
	pepper, err := i.Vault.Pepper()
	if err != nil {
		return err
	}
	draw := func(now time.Time) (key.Stored, []byte, error) {
		stored, text := key.Issue(key.Admin, pepper, "", "admin key", now, nil)
		return stored, nil, file.Replace(path+NextSuffix, []byte(text+"\n"), 0o600)
	}
	publish := func(ctx context.Context) error { return i.publish(ctx, path) }
	if err := i.Store.RenewAdminKey(ctx, since, draw, publish); err != nil {
		return fmt.Errorf("make the admin key: %w", err)
	}
	return nil
}

// publish gives the next key's file its name if the key works, and removes one whose record was never made.
func (i *Issuer) publish(ctx context.Context, path string) error {
	content, err := os.ReadFile(path + NextSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, kid, err := key.Parse(strings.TrimSpace(string(content))); err == nil {
		k, known, err := i.Store.FindKey(ctx, kid)
		if err != nil {
			return err
		}
		if known && k.RevokeTime == nil {
			return file.Rename(path+NextSuffix, path)
		}
	}
	return os.Remove(path + NextSuffix)
}
