// Package sealed is an archive that only its recipient can open: a tar of files and streams inside of an age file
// (age-encryption.org/v1). It holds nothing in the clear on any disk, and a shortened or altered archive does not open.
// It owns the form of the archive and knows nothing of what is in it.
package sealed

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"
)

const (
	// partSize in bytes of one piece of a stream, whose length is not known when it begins.
	partSize = 1 << 20
	// partSuffix marks a piece of a stream, endSuffix the end of it, lastName the end of the archive.
	partSuffix, endSuffix, lastName = ".part", ".end", "end"
)

// Writer writes an archive.
type Writer struct {
	archive *tar.Writer
	sealed  io.WriteCloser
	now     time.Time
}

// NewWriter begins an archive for recipients, one `age1…` a line.
func NewWriter(to io.Writer, recipients string) (*Writer, error) {
	parsed, err := age.ParseRecipients(strings.NewReader(recipients))
	if err != nil {
		return nil, fmt.Errorf("recipient: %w: give the age1… that `naksha platform keygen` or age-keygen printed", err)
	}
	sealed, err := age.Encrypt(to, parsed...)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &Writer{archive: tar.NewWriter(sealed), sealed: sealed, now: time.Now().UTC()}, nil
}

// File adds a whole file.
func (w *Writer) File(name string, content []byte) error {
	head := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: w.now, Format: tar.FormatPAX}
	if err := w.archive.WriteHeader(head); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := w.archive.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Stream adds what from holds until its end.
func (w *Writer) Stream(name string, from io.Reader) error {
	part := make([]byte, partSize)
	for {
		n, err := io.ReadFull(from, part)
		if n > 0 {
			if err := w.File(name+partSuffix, part[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return w.File(name+endSuffix, nil)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
}

// Close ends the archive. One that was not closed does not open.
func (w *Writer) Close() error {
	return errors.Join(w.File(lastName, nil), w.archive.Close(), w.sealed.Close())
}

// Reader reads an archive.
type Reader struct{ archive *tar.Reader }

// NewReader opens an archive with identities, one `AGE-SECRET-KEY-1…` a line.
func NewReader(from io.Reader, identities string) (*Reader, error) {
	parsed, err := age.ParseIdentities(strings.NewReader(identities))
	if err != nil {
		return nil, errors.New("the identity file holds no AGE-SECRET-KEY-1…: give the one whose recipient the backup was sealed to")
	}
	opened, err := age.Decrypt(from, parsed...)
	if nobody := new(age.NoIdentityMatchError); errors.As(err, &nobody) {
		return nil, errors.New("the backup is sealed to another recipient: give the identity whose recipient it was")
	}
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w: it is damaged, or no backup", err)
	}
	return &Reader{archive: tar.NewReader(opened)}, nil
}

// Walk calls f with each file and each stream in the order in which they were written, and fails when the archive does
// not end as Close ends it. What f leaves unread is skipped.
func (r *Reader) Walk(f func(name string, content io.Reader) error) error {
	for {
		head, err := r.next()
		if err != nil {
			return err
		}
		if head.Name == lastName {
			_, err := r.archive.Next() // reads on to the seal's own end
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read the backup: something follows its end: %w", err)
		}
		if err := r.visit(head.Name, f); err != nil {
			return err
		}
	}
}

// visit calls f with one file or one whole stream.
func (r *Reader) visit(entry string, f func(name string, content io.Reader) error) error {
	if name, empty := strings.CutSuffix(entry, endSuffix); empty {
		return f(name, strings.NewReader(""))
	}
	name, stream := strings.CutSuffix(entry, partSuffix)
	if !stream {
		return f(entry, r.archive)
	}
	parts := &parts{reader: r, name: name}
	if err := f(name, parts); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, parts)
	return err
}

func (r *Reader) next() (*tar.Header, error) {
	head, err := r.archive.Next()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w: it is damaged or incomplete", err)
	}
	return head, nil
}

// parts joins the pieces of one stream.
type parts struct {
	reader *Reader
	name   string
	ended  bool
}

// Read reads on into the next piece until the stream's end.
func (p *parts) Read(into []byte) (int, error) {
	for !p.ended {
		n, err := p.reader.archive.Read(into)
		if n > 0 {
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("read %s: %w: the backup is damaged, use another one", p.name, err)
		}
		head, err := p.reader.next()
		if err != nil {
			return 0, err
		}
		switch head.Name {
		case p.name + partSuffix:
		case p.name + endSuffix:
			p.ended = true
		default:
			return 0, fmt.Errorf("read %s: %s stands in the middle of it: the backup is damaged", p.name, head.Name)
		}
	}
	return 0, io.EOF
}
