// Package forgetfs is a file system for tests that forgets at a power loss whatever was not made durable: contents that
// were not fsynced, and names (creation, rename, removal, extended attributes) that neither an fsync of the file nor of
// its folder has confirmed. It passes everything else to a folder on a real file system, and can be told to fail. It
// models what POSIX allows a disk to lose, in the order in which a journal would commit; it does not tear single writes.
package forgetfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// FS is a mounted file system.
type FS struct {
	at      string // where it is mounted
	backing string // folder that holds the files
	grave   string // folder that holds removed files until their removal is durable
	disks   []string
	fail    atomic.Pointer[Fault]

	server *fuse.Server

	mu       sync.Mutex
	contents map[uint64]*content // by inode: what is not durable of a file
	journals map[string]*journal // by disk: names that are not durable
	buried   int
}

// Fault says how an operation fails: op is write, fsync or name (create, rename, remove …), path is relative to the
// mount. 0 = not at all.
type Fault func(op, path string) syscall.Errno

// Mount mounts the file system at a folder, with its files in backing; both must exist. Each of the named sub-folders
// counts as a disk of its own: an fsync on one confirms nothing on another. It needs root and /dev/fuse.
func Mount(at, backing string, disks ...string) (*FS, error) {
	f := &FS{at: at, backing: filepath.Join(backing, "files"), grave: filepath.Join(backing, "grave"), disks: append(disks, "")}
	for _, dir := range []string{f.backing, f.grave} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return nil, err
		}
	}
	f.forget()
	if err := f.mount(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *FS) mount() error {
	var st syscall.Stat_t
	if err := syscall.Stat(f.backing, &st); err != nil {
		return err
	}
	root := &fs.LoopbackRoot{Path: f.backing, Dev: st.Dev}
	top := &node{LoopbackNode: fs.LoopbackNode{RootData: root}, fs: f}
	root.RootNode = top
	second := time.Second
	syscall.ForkLock.RLock() // no child is made until the connection is ours alone
	defer syscall.ForkLock.RUnlock()
	server, err := fs.Mount(f.at, top, &fs.Options{
		AttrTimeout: &second, EntryTimeout: &second,
		MountOptions: fuse.MountOptions{
			AllowOther: true, DirectMountStrict: true, Options: []string{"default_permissions"}, FsName: "forgetfs", Name: "forgetfs",
		},
	})
	if err != nil {
		return fmt.Errorf("mount forgetfs: %w", err)
	}
	f.server = server
	return keepFromChildren()
}

// keepFromChildren closes the connection to the kernel in programs that are started from now on; go-fuse leaves it open.
// A child that outlived us would hold it, and with it everybody who waits for an answer of the file system, for ever.
func keepFromChildren() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if fd, number := strconv.Atoi(entry.Name()); err == nil && number == nil && target == "/dev/fuse" {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// Fail makes operations fail from now on; nil = none does.
func (f *FS) Fail(how Fault) {
	if how == nil {
		f.fail.Store(nil)
		return
	}
	f.fail.Store(&how)
}

func (f *FS) failure(op, path string) syscall.Errno {
	if how := f.fail.Load(); how != nil {
		return (*how)(op, path)
	}
	return 0
}

// PowerLoss forgets what is not durable. Nobody may use the file system meanwhile: kill them first. It is mounted again
// when it returns.
func (f *FS) PowerLoss() error {
	if err := f.unmount(); err != nil {
		return err
	}
	if err := f.revert(); err != nil {
		return fmt.Errorf("forget what is not durable: %w", err)
	}
	return f.mount()
}

// busyTime bounds how long a process that was killed may hold a file.
const busyTime = 2 * time.Minute

// unmount waits for the ends of processes that were killed a moment ago.
func (f *FS) unmount() (err error) {
	for deadline := time.Now().Add(busyTime); time.Now().Before(deadline); <-time.After(100 * time.Millisecond) {
		if err = f.server.Unmount(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("unmount forgetfs, which %v hold: %w", f.holders(), err)
}

// holders are the processes that work in the file system or have a file of it open (proc(5)).
func (f *FS) holders() (found []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is right
	open, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range append(links, open...) {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, f.at+"/") {
			found = append(found, link+" "+target)
		}
	}
	return found
}

// Unmount ends the file system; its files stay in the backing folder.
func (f *FS) Unmount() error {
	if err := f.unmount(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.contents {
		_ = c.file.Close()
	}
	f.forget()
	return nil
}

// forget begins anew with everything durable. It empties the grave.
func (f *FS) forget() {
	f.contents, f.journals = map[uint64]*content{}, map[string]*journal{}
	for _, disk := range f.disks {
		f.journals[disk] = &journal{}
	}
}

// revert brings back contents first, by open files, and then names, newest first.
func (f *FS) revert() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, c := range f.contents {
		errs = append(errs, c.revert())
	}
	for _, j := range f.journals {
		errs = append(errs, j.revert())
	}
	f.forget()
	return errors.Join(errs...)
}

// disk returns the journal of the disk that a path, relative to the mount, is on.
func (f *FS) disk(path string) *journal {
	best := ""
	for _, disk := range f.disks {
		if len(disk) > len(best) && (path == disk || strings.HasPrefix(path, disk+"/")) {
			best = disk
		}
	}
	return f.journals[best]
}

// gravestone is a new name in the grave, where what was removed is kept until that is durable. f.mu is held.
func (f *FS) gravestone() string {
	f.buried++
	return filepath.Join(f.grave, fmt.Sprint(f.buried))
}

// drop removes what was kept, for good. f.mu is held.
func (f *FS) drop(kept string) {
	var st syscall.Stat_t
	if kept == "" || syscall.Lstat(kept, &st) != nil {
		return
	}
	if st.Nlink == 1 {
		f.durable(st.Ino) // nobody can ever ask for its contents
	}
	_ = os.RemoveAll(kept)
}

// Unavailable says why nothing can be mounted here, or nothing.
func Unavailable() string {
	if os.Geteuid() != 0 {
		return "a FUSE file system is mounted by root only"
	}
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		return "this machine has no FUSE: " + err.Error()
	} else if err := f.Close(); err != nil {
		return err.Error()
	}
	return ""
}
