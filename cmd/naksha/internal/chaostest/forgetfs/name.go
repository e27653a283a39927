package forgetfs

import (
	"context"
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// change carries out a change of names in this folder and notes how to take it back.
func (n *node) change(what, name string, act func() syscall.Errno, undo func() error) syscall.Errno {
	if errno := n.fs.failure("name", n.rel(name)); errno != 0 {
		return errno
	}
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	if errno := act(); errno != 0 {
		return errno
	}
	made := inode(n.real(name))
	n.fs.disk(n.rel(name)).add(entry{what: what + " " + n.rel(name), inodes: []uint64{made, inode(n.real(""))}, undo: undo})
	return 0
}

// made is a change that makes a name; taking it back removes it.
func (n *node) made(what, name string, act func() syscall.Errno) syscall.Errno {
	path := n.real(name)
	return n.change(what, name, act, func() error { return os.Remove(path) })
}

// Mknod makes a socket or pipe.
func (n *node) Mknod(ctx context.Context, name string, mode, rdev uint32, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = n.made("mknod", name, func() syscall.Errno {
		child, errno = n.LoopbackNode.Mknod(ctx, name, mode, rdev, out)
		return errno
	})
	return child, errno
}

// Mkdir makes a folder.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = n.made("mkdir", name, func() syscall.Errno {
		child, errno = n.LoopbackNode.Mkdir(ctx, name, mode, out)
		return errno
	})
	return child, errno
}

// Symlink makes a symbolic link.
func (n *node) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = n.made("symlink", name, func() syscall.Errno {
		child, errno = n.LoopbackNode.Symlink(ctx, target, name, out)
		return errno
	})
	return child, errno
}

// Link gives a file another name.
func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = n.made("link", name, func() syscall.Errno {
		child, errno = n.LoopbackNode.Link(ctx, target, name, out)
		return errno
	})
	return child, errno
}

// remove is a change that takes a name away; what it named is kept until that is durable.
func (n *node) remove(what, name string, bury func(path, kept string) error) syscall.Errno {
	if errno := n.fs.failure("name", n.rel(name)); errno != 0 {
		return errno
	}
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	path, kept := n.real(name), n.fs.gravestone()
	gone := inode(path)
	if err := bury(path, kept); err != nil {
		return fs.ToErrno(err)
	}
	n.fs.disk(n.rel(name)).add(entry{
		what: what + " " + n.rel(name), inodes: []uint64{gone, inode(n.real(""))},
		undo:    func() error { return os.Rename(kept, path) },
		confirm: func() { n.fs.drop(kept) },
	})
	return 0
}

// Unlink removes a file.
func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.remove("unlink", name, func(path, kept string) error { return os.Rename(path, kept) })
}

// Rmdir removes an empty folder.
func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.remove("rmdir", name, func(path, kept string) error {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			return syscall.ENOTEMPTY
		}
		return os.Rename(path, kept)
	})
}

// Rename moves a file or folder, over another one where that is there.
func (n *node) Rename(ctx context.Context, name string, to fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	target, ok := to.(*node)
	if !ok || flags&unix.RENAME_EXCHANGE != 0 {
		return syscall.EINVAL
	}
	if errno := n.fs.failure("name", target.rel(newName)); errno != 0 {
		return errno
	}
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	from, path, kept := n.real(name), target.real(newName), ""
	moved, replaced := inode(from), inode(path)
	if replaced != 0 && replaced != moved && flags == 0 {
		kept = n.fs.gravestone()
		if err := os.Link(path, kept); err != nil {
			kept = "" // a folder: only an empty one may be replaced
		}
	}
	if errno := n.LoopbackNode.Rename(ctx, name, to, newName, flags); errno != 0 {
		n.fs.drop(kept)
		return errno
	}
	n.fs.disk(target.rel(newName)).add(entry{
		what:   "rename of " + n.rel(name) + " to " + target.rel(newName),
		inodes: []uint64{moved, inode(n.real("")), inode(target.real(""))},
		undo: func() error {
			if err := os.Rename(path, from); err != nil || kept == "" {
				return err
			}
			return os.Rename(kept, path)
		},
		confirm: func() { n.fs.drop(kept) },
	})
	return 0
}

// Setxattr sets an extended attribute.
func (n *node) Setxattr(_ context.Context, attr string, data []byte, flags uint32) syscall.Errno {
	path := n.real("")
	old, had := xattr(path, attr)
	return n.change("setxattr", "", func() syscall.Errno {
		return fs.ToErrno(unix.Lsetxattr(path, attr, data, int(flags)))
	}, func() error {
		if had {
			return unix.Lsetxattr(path, attr, old, 0)
		}
		return unix.Lremovexattr(path, attr)
	})
}

// Removexattr removes an extended attribute.
func (n *node) Removexattr(_ context.Context, attr string) syscall.Errno {
	path := n.real("")
	old, _ := xattr(path, attr)
	return n.change("removexattr", "", func() syscall.Errno {
		return fs.ToErrno(unix.Lremovexattr(path, attr))
	}, func() error { return unix.Lsetxattr(path, attr, old, 0) })
}

func xattr(path, attr string) ([]byte, bool) {
	value := make([]byte, 64<<10)
	n, err := unix.Lgetxattr(path, attr, value)
	if err != nil {
		return nil, false
	}
	return value[:n], true
}
