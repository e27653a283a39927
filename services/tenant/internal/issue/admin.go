package issue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/file"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
)

// FirstAdmin makes the first operator's key when there is none, and writes its text to path (0600). The file is durable
// before the key works; a file that a crash left without its row is adopted.
func (i *Issuer) FirstAdmin(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	pepper, err := i.Vault.Pepper()
	if err != nil {
		return err
	}
	err = i.Store.FirstAdminKey(ctx, func(now time.Time) (key.Stored, []byte, error) {
		stored, text := key.Issue(key.Admin, pepper, "", "first admin key", now, nil)
		kid, left, ok := leftText(path)
		if !ok {
			return stored, nil, file.Replace(path, []byte(text+"\n"), 0o600)
		}
		_, known, err := i.Store.FindKey(ctx, kid)
		if err != nil || known { // a revoked key is not revived
			return stored, nil, errors.Join(err, file.Replace(path, []byte(text+"\n"), 0o600))
		}
		stored.Kid, stored.Hash = kid, pepper.Hash(left)
		return stored, nil, nil
	})
	if err != nil {
		return fmt.Errorf("make the first admin key: %w", err)
	}
	return nil
}

// leftText reads a key that an earlier start wrote before it died.
func leftText(path string) (kid, text string, ok bool) {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		return "", "", false
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", "", false
	}
	text = strings.TrimSpace(string(content))
	kind, kid, err := key.Parse(text)
	return kid, text, err == nil && kind == key.Admin
}
