package rpc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/rpc/pki"
)

// Files are the certificate, key and CA of one end.
type Files = pki.Files

// ServerTLS requires client certificates of the CA, TLS 1.3, and follows changes of the files without a restart.
func ServerTLS(files Files) (*tls.Config, error) {
	w, err := watch(files)
	if err != nil {
		return nil, err
	}
	config := w.serverConfig(w.now())
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return w.serverConfig(w.now()), nil }
	return config, nil
}

// ClientTLS presents the certificate, and accepts a server whose certificate is of the CA and names serverName. It
// follows changes of the files: the next connection uses them.
func ClientTLS(files Files, serverName string) (*tls.Config, error) {
	w, err := watch(files)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: serverName,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &w.now().cert, nil
		},
		// crypto/tls would check against the pool of the start. VerifyConnection makes the same check, against today's.
		InsecureSkipVerify: true,
		VerifyConnection:   func(s tls.ConnectionState) error { return verifyServer(s, w.now().roots, serverName) },
	}, nil
}

func verifyServer(s tls.ConnectionState, roots *x509.CertPool, serverName string) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	between := x509.NewCertPool()
	for _, cert := range s.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: serverName})
	return err
}

// identity is what the files held when they were last read.
type identity struct {
	cert  tls.Certificate
	roots *x509.CertPool
}

// watcher re-reads the files when one of them has changed. It looks when a connection is made: three stats cost
// nothing beside a handshake.
type watcher struct {
	files Files

	mu      sync.Mutex
	current *identity
	stamp   [3]time.Time
}

func watch(files Files) (*watcher, error) {
	w := &watcher{files: files}
	w.stamp = w.stamps()
	current, err := read(files)
	if err != nil {
		return nil, err
	}
	w.current = current
	return w, nil
}

// now returns the files' content. While they cannot be read, or do not fit each other (between two writes), the old
// content serves on.
func (w *watcher) now() *identity {
	w.mu.Lock()
	defer w.mu.Unlock()
	if stamp := w.stamps(); stamp != w.stamp {
		if fresh, err := read(w.files); err == nil {
			w.current, w.stamp = fresh, stamp
		}
	}
	return w.current
}

func (w *watcher) stamps() (stamps [3]time.Time) {
	for i, path := range []string{w.files.CertFile, w.files.KeyFile, w.files.CAFile} {
		if info, err := os.Stat(path); err == nil {
			stamps[i] = info.ModTime()
		}
	}
	return stamps
}

func (w *watcher) serverConfig(id *identity) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{id.cert},
		ClientCAs:    id.roots,
		NextProtos:   []string{"h2"},
	}
}

func read(files Files) (*identity, error) {
	cert, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	ca, err := os.ReadFile(files.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read CA certificates: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("read CA certificates: %s holds none in PEM form", files.CAFile)
	}
	return &identity{cert: cert, roots: roots}, nil
}
