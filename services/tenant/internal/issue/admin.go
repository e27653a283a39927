package issue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

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
			return stored, nil, writeText(path, text)
		}
		_, known, err := i.Store.FindKey(ctx, kid)
		if err != nil || known { // a revoked key is not revived
			return stored, nil, errors.Join(err, writeText(path, text))
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

// writeText replaces path at once and durably.
func writeText(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".admin-key-*") // 0600
	if err != nil {
		return fmt.Errorf("write admin key: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write admin key: %w", err), os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write admin key: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
