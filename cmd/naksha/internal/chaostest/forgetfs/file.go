package forgetfs

import (
	"context"
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// file is an open file.
type file struct {
	*fs.LoopbackFile
	fs    *FS
	path  string // when it was opened, relative to the mount
	fd    int
	inode uint64
	sync  bool // opened with O_SYNC or O_DSYNC: each write is durable when it is answered
}

func (f *FS) open(opened *os.File, path string, flags uint32) (*file, error) {
	inode, _, err := inodeOf(int(opened.Fd()))
	if err != nil {
		return nil, err
	}
	return &file{
		LoopbackFile: fs.NewLoopbackFileFromOS(opened), fs: f, path: path, fd: int(opened.Fd()), inode: inode,
		sync: flags&(syscall.O_DSYNC|syscall.O_SYNC) != 0,
	}, nil
}

// PassthroughFd keeps the kernel from writing past us.
func (f *file) PassthroughFd() (int, bool) { return 0, false }

// Write writes, after it has kept what was there.
func (f *file) Write(_ context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if errno := f.fs.failure("write", f.path); errno != 0 {
		return 0, errno
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.keep(f.fd, off, off+int64(len(data))); err != nil {
		return 0, fs.ToErrno(err)
	}
	n, err := syscall.Pwrite(f.fd, data, off)
	if f.sync && err == nil {
		if errno := f.fs.failure("fsync", f.path); errno != 0 {
			return 0, errno
		}
		f.fs.confirm(f.inode, f.path)
	}
	return uint32(max(n, 0)), fs.ToErrno(err)
}

// Fsync makes the file durable.
func (f *file) Fsync(context.Context, uint32) syscall.Errno {
	if errno := f.fs.failure("fsync", f.path); errno != 0 {
		return errno
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.confirm(f.inode, f.path)
	return 0
}

// confirm makes contents and names of a file or folder durable. f.mu is held.
func (f *FS) confirm(inode uint64, path string) {
	f.durable(inode)
	f.disk(path).sync(inode)
}

// Allocate makes room in the file.
func (f *file) Allocate(_ context.Context, off, size uint64, mode uint32) syscall.Errno {
	if errno := f.fs.failure("write", f.path); errno != 0 {
		return errno
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.keep(f.fd, int64(off), int64(off+size)); err != nil {
		return fs.ToErrno(err)
	}
	return fs.ToErrno(unix.Fallocate(f.fd, mode, int64(off), int64(size)))
}

// Setattr changes size, times or mode.
func (f *file) Setattr(ctx context.Context, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if errno := f.fs.failure("write", f.path); errno != 0 {
			return errno
		}
		f.fs.mu.Lock()
		defer f.fs.mu.Unlock()
		if err := f.fs.keep(f.fd, int64(size), -1); err != nil {
			return fs.ToErrno(err)
		}
	}
	return f.LoopbackFile.Setattr(ctx, in, out)
}
