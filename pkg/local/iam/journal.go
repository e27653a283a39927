package iam

import (
	"bufio"
	"crypto/cipher"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
)

// fileName is the journal's name in its folder; what is written anew stands beside it until it is whole.
const (
	fileName       = "users.sealed"
	unfinishedName = fileName + ".new"
)

// slack in bytes is what a journal may grow to, beyond twice its content, before it is written anew.
const slack = 256 << 10

var (
	// ErrWrongKey is in the chain of the error for a file that was sealed under another key.
	ErrWrongKey = errors.New("sealed under another key")
	// ErrDamaged is in the chain of the error for a file that cannot be read whole.
	ErrDamaged = errors.New("damaged")
)

// journal is the file. Its end is known: everything before end is sealed, sound and on disk.
type journal struct {
	path string
	aead cipher.AEAD
	file *os.File
	box  box
	next uint64 // number of the next record
	end  int64  // bytes
	lean int64  // bytes when it was last written anew
	lost bool   // what the file holds is unknown after a failed write, until it is written anew
}

// openJournal gives each record to replay. A missing file is fs.ErrNotExist. cut is the length in bytes of an unfinished
// last record, which is removed.
func openJournal(dir string, aead cipher.AEAD, replay func(content []byte) error) (j *journal, cut int64, err error) {
	path := filepath.Join(dir, fileName)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	j = &journal{path: path, aead: aead, end: int64(headSize)}
	if j.box, err = openHead(aead, data); err != nil {
		return nil, 0, explain(path, err)
	}
	if err := j.replay(data, replay); err != nil {
		return nil, 0, err
	}
	cut = int64(len(data)) - j.end
	if j.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, 0, err
	}
	if cut == 0 {
		return j, 0, nil
	}
	if err := errors.Join(j.file.Truncate(j.end), j.file.Sync()); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("cut off the unfinished end of %s: %w", path, err), j.close())
	}
	return j, cut, nil
}

func explain(path string, err error) error {
	if errors.Is(err, ErrWrongKey) {
		return fmt.Errorf("%s is %w: start with the root key that this state directory was made with (put its backup back)", path, err)
	}
	return fmt.Errorf("%s is %w at its beginning: put the file back from a backup of the state directory", path, err)
}

func (j *journal) replay(data []byte, replay func([]byte) error) error {
	for j.end < int64(len(data)) {
		number, content, size, ok := j.box.unframe(data[j.end:])
		if !ok || number != j.next {
			return j.judge(data)
		}
		if err := replay(content); err != nil {
			return fmt.Errorf("%s: record %d: %w", j.path, number, err)
		}
		j.next, j.end = j.next+1, j.end+int64(size)
	}
	return nil
}

// judge says whether the bad record at the end is an unfinished last one, nil, or damage: later records are sound, and
// each was begun only after the one before it was on disk.
func (j *journal) judge(data []byte) error {
	for at := j.end; at < int64(len(data)); at++ {
		if number, _, _, ok := j.box.unframe(data[at:]); ok {
			return fmt.Errorf("%s is %w: record %d at byte %d cannot be read, but record %d behind it can: put the file back from a backup of the state directory",
				j.path, ErrDamaged, j.next, j.end, number)
		}
	}
	return nil
}

// makeJournal writes a journal with the contents, in place of any other: it is there whole, or not at all.
func makeJournal(dir string, aead cipher.AEAD, contents iter.Seq2[[]byte, error]) (*journal, error) {
	path, unfinished := filepath.Join(dir, fileName), filepath.Join(dir, unfinishedName)
	f, err := os.OpenFile(unfinished, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, aead: aead, file: f}
	if err := j.fill(contents); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(unfinished))
	}
	if err := errors.Join(os.Rename(unfinished, path), syncFolder(dir)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

func (j *journal) fill(contents iter.Seq2[[]byte, error]) error {
	out := bufio.NewWriter(j.file)
	var head []byte
	j.box, head = newHead(j.aead)
	_, _ = out.Write(head) // Flush returns what went wrong
	j.end = int64(len(head))
	for content, err := range contents {
		if err != nil {
			return err
		}
		frame := j.box.frame(j.next, content)
		_, _ = out.Write(frame)
		j.next, j.end = j.next+1, j.end+int64(len(frame))
	}
	j.lean = j.end
	return errors.Join(out.Flush(), j.file.Sync())
}

// append adds a record and flushes it. After an error the file may hold the record or not: it is lost.
func (j *journal) append(content []byte) error {
	frame := j.box.frame(j.next, content)
	_, err := j.file.WriteAt(frame, j.end)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.lost = true
		return fmt.Errorf("write %s: %w", j.path, err)
	}
	j.next, j.end = j.next+1, j.end+int64(len(frame))
	return nil
}

// fat says whether writing the journal anew is worth it.
func (j *journal) fat() bool { return j.end > 2*j.lean+slack }

func (j *journal) close() error { return j.file.Close() }

// syncFolder makes names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
