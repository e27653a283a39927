package forgetfs

import (
	"context"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is a file or folder.
type node struct {
	fs.LoopbackNode
	fs *FS
}

// WrapChild makes every file and folder below a node.
func (n *node) WrapChild(context.Context, fs.InodeEmbedder) fs.InodeEmbedder {
	return &node{LoopbackNode: fs.LoopbackNode{RootData: n.RootData}, fs: n.fs}
}

// rel is the node's path relative to the mount; real is where it stands in the backing folder.
func (n *node) rel(name string) string { return filepath.Join(n.Path(n.Root()), name) }

func (n *node) real(name string) string {
	return filepath.Join(n.fs.backing, n.rel(name))
}

func inode(path string) uint64 {
	var st syscall.Stat_t
	_ = syscall.Lstat(path, &st) // 0 = there is none
	return st.Ino
}

// Create makes and opens a file.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (child *fs.Inode, handle fs.FileHandle, _ uint32, errno syscall.Errno) {
	if _, err := os.Lstat(n.real(name)); err == nil { // somebody was faster
		if child, errno = n.Lookup(ctx, name, out); errno != 0 || flags&syscall.O_EXCL != 0 {
			return nil, nil, 0, max(errno, syscall.EEXIST)
		}
	} else if errno = n.made("create", name, func() syscall.Errno {
		var first fs.FileHandle
		if child, first, _, errno = n.LoopbackNode.Create(ctx, name, flags, mode, out); errno == 0 {
			errno = first.(fs.FileReleaser).Release(ctx)
		}
		return errno
	}); errno != 0 {
		return nil, nil, 0, errno
	}
	handle, errno = n.open(name, flags) // by its name: the child is in no folder yet
	return child, handle, 0, errno
}

// Open opens a file.
func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	handle, errno := n.open("", flags)
	return handle, 0, errno
}

func (n *node) open(name string, flags uint32) (fs.FileHandle, syscall.Errno) {
	if flags&syscall.O_TRUNC != 0 {
		if errno := n.truncate(name, 0); errno != 0 {
			return nil, errno
		}
	}
	opened, err := os.OpenFile(n.real(name), int(flags)&^(os.O_APPEND|os.O_CREATE|os.O_EXCL|os.O_TRUNC|fuse.FMODE_EXEC), 0)
	if err != nil {
		return nil, fs.ToErrno(err)
	}
	handle, err := n.fs.open(opened, n.rel(name), flags)
	return handle, fs.ToErrno(err)
}

// Tmpfile says that files have names here; whoever asks makes a temporary one.
func (n *node) Tmpfile(context.Context, uint32, uint32, *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	return nil, nil, 0, syscall.ENOSYS
}

// Setattr changes size, times, mode or owner.
func (n *node) Setattr(ctx context.Context, handle fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok && handle == nil {
		if errno := n.truncate("", int64(size)); errno != 0 {
			return errno
		}
	}
	return n.LoopbackNode.Setattr(ctx, handle, in, out)
}

// truncate cuts the file, after it has kept what was there.
func (n *node) truncate(name string, size int64) syscall.Errno {
	if errno := n.fs.failure("write", n.rel(name)); errno != 0 {
		return errno
	}
	f, err := os.OpenFile(n.real(name), os.O_RDWR, 0)
	if err != nil {
		return fs.ToErrno(err)
	}
	defer f.Close()
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	if err := n.fs.keep(int(f.Fd()), size, -1); err != nil {
		return fs.ToErrno(err)
	}
	return fs.ToErrno(f.Truncate(size))
}

// CopyFileRange is left to reading and writing.
func (n *node) CopyFileRange(context.Context, fs.FileHandle, uint64, *fs.Inode, fs.FileHandle, uint64, uint64, uint64) (uint32, syscall.Errno) {
	return 0, syscall.ENOSYS
}

// folder is an open folder.
type folder struct {
	stream
	node *node
}

// stream lists a folder.
type stream interface {
	fs.FileReaddirenter
	fs.FileSeekdirer
	fs.FileReleasedirer
}

// OpendirHandle opens a folder.
func (n *node) OpendirHandle(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	opened, errno := fs.NewLoopbackDirStream(n.real(""))
	if errno != 0 {
		return nil, 0, errno
	}
	return &folder{stream: opened.(stream), node: n}, 0, 0
}

// Fsyncdir makes a folder's names durable.
func (d *folder) Fsyncdir(context.Context, uint32) syscall.Errno {
	f, path := d.node.fs, d.node.rel("")
	if errno := f.failure("fsync", path); errno != 0 {
		return errno
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.confirm(inode(d.node.real("")), path)
	return 0
}
