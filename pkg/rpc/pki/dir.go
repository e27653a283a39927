package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/file"
)

// Files are the paths of what one end of mutual TLS needs.
type Files struct {
	CertFile string `conf:"cert_file" doc:"certificate in PEM form"`
	KeyFile  string `conf:"key_file" doc:"private key in PEM form, mode 0600"`
	CAFile   string `conf:"ca_file" doc:"certificates that the other end must be signed by"`
}

// Dir is a folder with a CA and the leaf certificates that it issued. Open makes both the folder and the CA. One process
// at a time may use it, from any goroutine.
type Dir struct {
	path string
	ca   *CA
	mu   sync.Mutex // held while a leaf is looked at and issued
}

// Open reads the CA in path, or makes one there when the folder holds none.
func Open(path string, now time.Time) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for certificates: %w", err)
	}
	d := &Dir{path: path}
	certPEM, certErr := os.ReadFile(d.file("ca.crt"))
	keyPEM, keyErr := os.ReadFile(d.file("ca.key"))
	var err error
	switch {
	case certErr == nil && keyErr == nil:
		d.ca, err = ParseCA(certPEM, keyPEM)
	case errors.Is(certErr, fs.ErrNotExist): // a key alone was left by a crash between the two writes
		d.ca, err = d.newCA(now)
	default:
		err = fmt.Errorf("read CA: %w", errors.Join(certErr, keyErr))
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Dir) newCA(now time.Time) (*CA, error) {
	ca, err := NewCA(now)
	if err != nil {
		return nil, err
	}
	return ca, errors.Join(file.Replace(d.file("ca.key"), ca.KeyPEM(), 0o600), file.Replace(d.file("ca.crt"), ca.CertPEM(), 0o600))
}

// CA is the folder's CA.
func (d *Dir) CA() *CA { return d.ca }

// CAFile is the path of the CA's certificate.
func (d *Dir) CAFile() string { return d.file("ca.crt") }

// Ensure returns the files of leaf.Service's certificate, and issues it when it is missing, of another CA, or ends
// within 30 days of leaf.From.
func (d *Dir) Ensure(leaf Leaf) (Files, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	files := Files{CertFile: d.file(leaf.Service + ".crt"), KeyFile: d.file(leaf.Service + ".key"), CAFile: d.CAFile()}
	if d.usable(files, leaf) {
		return files, nil
	}
	certPEM, keyPEM, err := d.ca.Issue(leaf)
	if err != nil {
		return Files{}, err
	}
	return files, errors.Join(file.Replace(files.KeyFile, keyPEM, 0o600), file.Replace(files.CertFile, certPEM, 0o600))
}

// usable reports whether the pair in files belongs together, names the leaf, and is valid for a while.
func (d *Dir) usable(files Files, leaf Leaf) bool {
	certPEM, certErr := os.ReadFile(files.CertFile)
	keyPEM, keyErr := os.ReadFile(files.KeyFile)
	if certErr != nil || keyErr != nil {
		return false
	}
	cert, certErr := parseCert(certPEM)
	key, keyErr := parseKey(keyPEM)
	if certErr != nil || keyErr != nil {
		return false
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: d.ca.Pool(), CurrentTime: leaf.From.Add(renewBefore)})
	return err == nil && samePublic(cert.PublicKey, key.Public()) && coversNames(cert, leaf)
}

func samePublic(a, b any) bool {
	one, errA := x509.MarshalPKIXPublicKey(a)
	two, errB := x509.MarshalPKIXPublicKey(b)
	return errA == nil && errB == nil && bytes.Equal(one, two)
}

func coversNames(cert *x509.Certificate, leaf Leaf) bool {
	want := leaf.template(cert.SerialNumber)
	for _, name := range want.DNSNames {
		if cert.VerifyHostname(name) != nil {
			return false
		}
	}
	for _, ip := range want.IPAddresses {
		if cert.VerifyHostname(ip.String()) != nil {
			return false
		}
	}
	service, err := ServiceOf(cert)
	return err == nil && service == leaf.Service
}

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }
