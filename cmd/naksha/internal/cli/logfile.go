package cli

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// logLimit is when a log is moved aside, in bytes. Strangers make it grow: each call that is refused is a line.
const logLimit = 64 << 20

// logFile is a log that stays short: the full one becomes path.1, in place of the one before.
type logFile struct {
	path  string
	limit int64 // bytes

	mu   sync.Mutex
	file *os.File
	size int64 // bytes since the last turn
}

// openLogFile opens a log for appending.
func openLogFile(path string, limit int64) (*logFile, error) {
	l := &logFile{path: path, limit: limit}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if l.file != nil {
		_ = l.file.Close() // its lines are written
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write implements io.Writer. One call is one line, which is never cut in two.
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(line)) > l.limit && l.isFile() {
		if err := errors.Join(os.Rename(l.path, l.path+".1"), l.open()); err != nil {
			l.size = 0 // it goes on in the old one, and is tried again later
			fmt.Fprintf(l.file, "log not moved aside: %v\n", err)
		}
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	return n, err
}

// isFile says whether the log is a file, and not /dev/null or a pipe that somebody named with --log.
func (l *logFile) isFile() bool {
	info, err := l.file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// Close closes the file.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
