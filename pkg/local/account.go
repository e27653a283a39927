package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the operating system user that a Postgres server runs as. Postgres refuses to run as root, so root lends
// it an unprivileged one; everybody else runs it as himself.
type account struct {
	name     string
	uid, gid int
	// lent is true when the account differs from ours: files must be handed over and processes started as it.
	lent bool
}

// postgresAccount returns "postgres", or "nobody" where there is no such user, for root; else the current user.
func postgresAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "the current user", uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil {
			return account{name: name, uid: uid, gid: gid, lent: true}, nil
		}
	}
	return account{}, errors.New("Postgres refuses to run as root and there is neither a user postgres nor nobody: create one with `useradd --system postgres`")
}

// attributes starts a process as the account, in a process group of its own: a Ctrl-C in the terminal is for us, and
// we stop the server in order.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.lent {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// own hands a file or folder over to the account.
func (a account) own(path string) error {
	if !a.lent {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// ownAll hands a folder and everything in it over to the account.
func (a account) ownAll(dir string) error {
	if !a.lent {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
}

// canReach returns an error that names the first folder above dir which the account may not enter.
func (a account) canReach(dir string) error {
	if !a.lent {
		return nil
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return fmt.Errorf("look at %s: %w", parent, err)
		}
		if !a.canEnter(info) {
			return fmt.Errorf("Postgres runs as user %s, which may not enter %s (mode %v): allow it with `chmod o+x %s` or choose another folder, such as /var/lib/naksha", a.name, parent, info.Mode().Perm(), parent)
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}

func (a account) canEnter(info fs.FileInfo) bool {
	mode := info.Mode().Perm()
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return true
	case int(stat.Uid) == a.uid:
		return mode&0o100 != 0
	case int(stat.Gid) == a.gid:
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}
