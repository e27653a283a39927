package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/versity/versitygw/iamapi/types"
)

// clearName begins the names of the files in which older versions kept users in the clear: versitygw's iam.json, its
// backup and what it was writing when it was killed.
const clearName = "iam.json"

// readClear returns the users of an older version. Its file is replaced by renaming, so that after a crash it is there
// whole, unless power was lost: then its backup is one change older.
func readClear(dir string) (map[string]*types.User, error) {
	path := filepath.Join(dir, clearName)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var old struct {
		Users map[string]*types.User `json:"users"`
		Roles map[string]struct{}    `json:"roles"`
	}
	if err := json.Unmarshal(content, &old); err != nil {
		return nil, fmt.Errorf("take over users of an older version: %s: %w: put %s.backup, which is one change older, in its place", path, err, path)
	}
	if len(old.Roles) > 0 {
		return nil, fmt.Errorf("take over users of an older version: %s holds roles, which are no longer offered: delete them with the older version first", path)
	}
	return old.Users, nil
}

// removeClear removes an older version's files, once their users are sealed.
func removeClear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	removed := false
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), clearName) {
			removed, err = true, errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	if !removed {
		return nil
	}
	return errors.Join(err, syncFolder(dir))
}
