package forgetfs

import (
	"errors"
	"fmt"
	"slices"
)

// entry is a change of names that is not durable yet.
type entry struct {
	what    string
	inodes  []uint64     // of the file and the folders that it concerns
	undo    func() error // takes it back
	confirm func()       // drops what undo would need; nil = nothing
}

// journal is one disk's changes of names, oldest first. A disk commits them in order: what is durable is always a
// beginning of them.
type journal struct{ entries []entry }

func (j *journal) add(e entry) { j.entries = append(j.entries, e) }

// sync makes durable what concerns an inode, and everything before it.
func (j *journal) sync(inode uint64) {
	for last := len(j.entries) - 1; last >= 0; last-- {
		if !slices.Contains(j.entries[last].inodes, inode) {
			continue
		}
		for _, e := range j.entries[:last+1] {
			if e.confirm != nil {
				e.confirm()
			}
		}
		j.entries = slices.Clone(j.entries[last+1:])
		return
	}
}

// revert takes everything back, newest first.
func (j *journal) revert() error {
	var errs []error
	for _, e := range slices.Backward(j.entries) {
		if err := e.undo(); err != nil {
			errs = append(errs, fmt.Errorf("take back %s: %w", e.what, err))
		}
	}
	j.entries = nil
	return errors.Join(errs...)
}
