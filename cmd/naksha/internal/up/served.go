package up

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/file"
)

// servedNote is for people who find the mark.
const servedNote = "A platform was ready here. While this file is here, `naksha up` makes no empty Postgres or S3 in the place of a lost one.\n"

// markServed notes that every server's data is complete: from now on one without data has lost it.
func (s *state) markServed() error {
	if _, err := os.Stat(s.path(fileServed)); err == nil {
		return nil
	}
	return file.Replace(s.path(fileServed), []byte(servedNote), 0o644)
}

// served are the files that tell of a platform that was ready: the mark, and what is written just before it, which
// directories of an earlier release have alone. One that cannot be looked at counts.
func (s *state) served() (marks []string) {
	for _, name := range []string{fileServed, fileEndpoints} {
		if _, err := os.Stat(s.path(name)); !errors.Is(err, fs.ErrNotExist) {
			marks = append(marks, s.path(name))
		}
	}
	return marks
}

// refuseLost keeps servers whose data is gone from being made anew: an empty one would look healthy and refuse every
// customer.
func (s *state) refuseLost(servers ...private) error {
	marks := s.served()
	if len(marks) == 0 {
		return nil
	}
	var names, flags []string
	var err error
	for _, server := range servers {
		lost, lookErr := server.lost()
		if err = errors.Join(err, lookErr); lost {
			names, flags = append(names, fmt.Sprintf("%s (%s)", server.name, server.dir)), append(flags, server.flag)
		}
	}
	if err != nil {
		return fmt.Errorf("look for the data of servers: %w", err)
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("a platform has run in %s, but the data of %s is not there: put it back from your copy, or name a server that has it with %s; to begin with nothing, remove %s first",
		s.dir, strings.Join(names, " and "), strings.Join(flags, ", "), strings.Join(marks, " and "))
}

// comeBack starts a server that ended. One whose data is gone stays away, whatever the marks say: what a platform's start
// puts into an empty server would not be there.
func (s private) comeBack(ctx context.Context) error {
	lost, err := s.lost()
	if lost {
		err = fmt.Errorf("its data below %s is gone: stop the platform with `naksha down`, then put it back from your copy", s.dir)
	}
	if err != nil {
		return err
	}
	return s.start(ctx)
}

// lost says whether a folder of the server's data is missing.
func (s private) lost() (bool, error) {
	for _, folder := range s.holds {
		_, err := os.Stat(filepath.Join(s.dir, folder))
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
