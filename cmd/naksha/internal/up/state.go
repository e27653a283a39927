package up

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/file"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/rpc/pki"
	"github.com/naksha-cloud/naksha/pkg/seal"
)

// format is the version of the state directory's layout. A newer one is refused, and so is 1, from before the first release:
// its services shared the root key, so that nothing they sealed would open (docs/adr/0011).
const format = 2

// LogFile is where log lines go by default, in the state directory.
const LogFile = "naksha.log"

// Names in the state directory.
const (
	fileFormat    = "FORMAT"              // the layout's version
	fileLock      = "lock"                // held by the running process; holds its process id
	fileServed    = "SERVED"              // a platform was ready here: servers without data have lost it
	fileCA        = "ca.crt"              // the authority's certificate, which everybody may read
	fileRootKey   = "root.key"            // the one secret that everything else derives from; no service gets it
	fileAdminKey  = "admin.key"           // the operator's API key
	fileNextKey   = "admin.key.next"      // a new one that does not work yet
	fileEndpoints = "endpoints.json"      // where the running platform answers
	fileTap       = "subscriber.password" // password of the NATS user `subscriber`, 0600
	dirKeys       = "keys"                // the root key of each service that seals, derived from ours, 0600
	dirRun        = "run"                 // which process each service is, in --processes
	dirShown      = "configuration"       // what each service was told last, without secrets
)

// state is an opened state directory.
type state struct {
	dir  string
	lock *os.File
	root seal.Root
	pki  *pki.Dir
}

// openState creates or opens a state directory and takes it for this process.
func openState(dir string) (*state, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("state directory %s: %w: choose another with --dir", dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &state{dir: dir, lock: lock}
	if err := s.checkFormat(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s.open()
}

// takeState is openState of a directory that a restore has filled, but not marked yet.
func takeState(dir string) (*state, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &state{dir: dir, lock: lock}
	if _, err := seal.ReadRoot(s.path(fileRootKey)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s.open()
}

// open reads, or makes, what everything else derives from or is signed by.
func (s *state) open() (_ *state, err error) {
	if s.root, err = seal.MakeRoot(s.path(fileRootKey)); err == nil {
		s.pki, err = pki.Open(s.path("pki"), time.Now())
	}
	if err == nil {
		err = errors.Join(s.writeServiceKeys(), s.showCA())
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// readState reads the root key of a state directory, which may be in use by the running platform, for what derives from
// it; nothing is locked. A directory without one is made first.
func readState(dir string) (*state, error) {
	s := &state{dir: dir}
	var err error
	if s.root, err = seal.ReadRoot(s.path(fileRootKey)); !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	made, err := openState(dir)
	if err != nil {
		return nil, err
	}
	return made, made.close()
}

func (s *state) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *state) close() error {
	if s.lock == nil {
		return nil
	}
	lock := s.lock
	s.lock = nil
	return local.Unlock(lock)
}

// checkFormat accepts an empty directory, which it marks as ours, and a whole one of this layout.
func (s *state) checkFormat() error {
	err := s.readFormat()
	if errors.Is(err, fs.ErrNotExist) {
		return s.claim()
	}
	if err != nil {
		return err
	}
	for _, name := range []string{fileRootKey, "pki"} {
		if _, err := os.Stat(s.path(name)); err != nil {
			return fmt.Errorf("state directory %s is corrupt: %s is missing: restore it from its backup, or choose another directory with --dir",
				s.dir, name)
		}
	}
	return nil
}

// readFormat refuses a directory of another layout; one that is not marked at all is fs.ErrNotExist.
func (s *state) readFormat() error {
	text, err := os.ReadFile(s.path(fileFormat))
	if err != nil {
		return fmt.Errorf("state directory %s: %w: name the platform's with --dir", s.dir, err)
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("state directory %s is corrupt: %s holds %.20q instead of a version: restore the directory from its backup, or choose another with --dir",
			s.dir, fileFormat, text)
	case version > format:
		return fmt.Errorf("state directory %s has format %d, this program knows up to %d: install the release that wrote it, or a newer one",
			s.dir, version, format)
	case version < format:
		return fmt.Errorf("state directory %s has format %d, from before the first release, which this program cannot read: choose a new one with --dir, or remove this one with `naksha uninstall`",
			s.dir, version)
	}
	return nil
}

// claim marks a directory that holds nothing of anybody else as a state directory.
func (s *state) claim() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("state directory %s: %w", s.dir, err)
	}
	ours := []string{fileLock, LogFile, LogFile + ".1", fileRootKey, file.Unfinished(fileRootKey), "pki", file.Unfinished(fileFormat)}
	for _, e := range entries {
		if name := e.Name(); !slices.Contains(ours, name) {
			return fmt.Errorf("%s is no state directory (it holds %s): choose an empty or new directory with --dir", s.dir, name)
		}
	}
	// The format is written last: a first start that was killed before it begins again.
	if s.root, err = seal.MakeRoot(s.path(fileRootKey)); err != nil {
		return err
	}
	if s.pki, err = pki.Open(s.path("pki"), time.Now()); err != nil {
		return err
	}
	return s.markFormat()
}

// markFormat makes the directory a finished state directory.
func (s *state) markFormat() error {
	return file.Replace(s.path(fileFormat), []byte(strconv.Itoa(format)+"\n"), 0o644)
}

// caFile is the authority's certificate for those who may not enter its folder.
func (s *state) caFile() string { return s.path(fileCA) }

// showCA puts the certificate where everybody can read it.
func (s *state) showCA() error {
	want := s.pki.CA().CertPEM()
	shown, err := os.ReadFile(s.caFile())
	if info, statErr := os.Stat(s.caFile()); err == nil && statErr == nil && bytes.Equal(shown, want) && info.Mode().Perm() == 0o644 {
		return nil
	}
	return file.Replace(s.caFile(), want, 0o644)
}

// writeShown notes what a service is told, secrets redacted, for people who look for a mistake.
func (s *state) writeShown(service string, content []byte) error {
	if err := os.MkdirAll(s.path(dirShown), 0o700); err != nil {
		return err
	}
	return os.WriteFile(s.path(dirShown, service+".yaml"), content, 0o600)
}

// certificate returns a service's certificate files, issued when they are missing or near their end.
func (s *state) certificate(service string) (rpc.Files, error) {
	return s.pki.Ensure(pki.Leaf{Service: service, From: time.Now()})
}
