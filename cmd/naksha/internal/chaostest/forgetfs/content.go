package forgetfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// blockSize is the unit in which durable contents are kept, in bytes.
const blockSize = 8192

// content is what a file holds durably, as far as it differs from what it holds now.
type content struct {
	file   *os.File         // open for as long as it differs
	size   int64            // durable size
	blocks map[int64][]byte // durable blocks that were overwritten or cut off since, by number
}

// inodeOf names an open file's inode.
func inodeOf(fd int) (inode uint64, size int64, err error) {
	var st syscall.Stat_t
	err = syscall.Fstat(fd, &st)
	return st.Ino, st.Size, err
}

// keep saves the durable contents of a range of an open file before it changes; to < 0 = to the end. f.mu is held.
func (f *FS) keep(fd int, from, to int64) error {
	inode, size, err := inodeOf(fd)
	if err != nil {
		return err
	}
	c := f.contents[inode]
	if c == nil {
		own, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		c = &content{file: own, size: size, blocks: map[int64][]byte{}}
		f.contents[inode] = c
	}
	if to < 0 || to > c.size {
		to = c.size
	}
	for block := from / blockSize; block*blockSize < to; block++ {
		if _, kept := c.blocks[block]; kept {
			continue
		}
		old := make([]byte, min(blockSize, c.size-block*blockSize))
		n, err := c.file.ReadAt(old, block*blockSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		c.blocks[block] = old[:n]
	}
	return nil
}

// durable forgets what a file held: what it holds now is durable. f.mu is held.
func (f *FS) durable(inode uint64) {
	if c := f.contents[inode]; c != nil {
		_ = c.file.Close()
		delete(f.contents, inode)
	}
}

// revert writes the durable contents back.
func (c *content) revert() error {
	defer c.file.Close()
	if err := c.file.Truncate(c.size); err != nil {
		return fmt.Errorf("take back the size of %s: %w", c.file.Name(), err)
	}
	for block, old := range c.blocks {
		if _, err := c.file.WriteAt(old, block*blockSize); err != nil {
			return fmt.Errorf("take back contents of %s: %w", c.file.Name(), err)
		}
	}
	return nil
}
