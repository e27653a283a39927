package pki_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/rpc/pki"
)

func open(t *testing.T, path string, now time.Time) *pki.Dir {
	t.Helper()
	d, err := pki.Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ensure(t *testing.T, d *pki.Dir, leaf pki.Leaf) (pki.Files, *x509.Certificate) {
	t.Helper()
	files, err := d.Ensure(leaf)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return files, pair.Leaf
}

func TestCertificateNamesItsService(t *testing.T) {
	t.Parallel()
	now := time.Now()
	d := open(t, t.TempDir(), now)
	files, cert := ensure(t, d, pki.Leaf{Service: "tenant", DNS: []string{"naksha-tenant.svc"}, From: now})
	if service, err := pki.ServiceOf(cert); err != nil || service != "tenant" {
		t.Errorf("service = %q, %v", service, err)
	}
	for _, name := range []string{"localhost", "tenant", "naksha-tenant.svc", "127.0.0.1", "::1"} {
		_, err := cert.Verify(x509.VerifyOptions{Roots: d.CA().Pool(), DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		if err != nil {
			t.Errorf("as %s: %v", name, err)
		}
	}
	for _, path := range []string{files.KeyFile, files.CertFile, filepath.Join(filepath.Dir(files.CAFile), "ca.key")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
		}
	}
}

func TestCertificateIsKeptUntilItNeedsReplacement(t *testing.T) {
	t.Parallel()
	now, path := time.Now(), t.TempDir()
	leaf := pki.Leaf{Service: "tenant", From: now}
	_, first := ensure(t, open(t, path, now), leaf)
	_, second := ensure(t, open(t, path, now), leaf)
	if !first.Equal(second) {
		t.Error("a good certificate was replaced")
	}
	files, renamed := ensure(t, open(t, path, now), pki.Leaf{Service: "tenant", DNS: []string{"more"}, From: now})
	if renamed.Equal(second) {
		t.Error("a certificate that lacks a name was kept")
	}
	_, late := ensure(t, open(t, path, now), pki.Leaf{Service: "tenant", From: now.AddDate(0, 11, 15)})
	if late.Equal(renamed) {
		t.Error("a certificate that ends soon was kept")
	}
	if err := os.WriteFile(files.KeyFile, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	ensure(t, open(t, path, now), leaf) // fails the test when it does not load
}

func TestCAOutlivesTheProcessAndACrashBetweenItsFiles(t *testing.T) {
	t.Parallel()
	now, path := time.Now(), t.TempDir()
	first := open(t, path, now).CA().CertPEM()
	if !bytes.Equal(first, open(t, path, now).CA().CertPEM()) {
		t.Error("the CA changed")
	}
	if err := os.Remove(filepath.Join(path, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, open(t, path, now).CA().CertPEM()) {
		t.Error("no CA was made")
	}
	if err := os.WriteFile(filepath.Join(path, "ca.crt"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pki.Open(path, now); err == nil {
		t.Error("a broken CA was accepted")
	}
}

func TestForeignCertificateNamesNoService(t *testing.T) {
	t.Parallel()
	for _, uris := range [][]string{nil, {"spiffe://other/tenant"}, {"spiffe://naksha/"}, {"spiffe://naksha/a", "spiffe://naksha/b"}} {
		cert := &x509.Certificate{}
		for _, s := range uris {
			u, err := url.Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			cert.URIs = append(cert.URIs, u)
		}
		if service, err := pki.ServiceOf(cert); err == nil {
			t.Errorf("%q name the service %q", uris, service)
		}
	}
}

func FuzzParseCA(f *testing.F) {
	f.Add([]byte("x"), []byte("y"))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"}))
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		if ca, err := pki.ParseCA(cert, key); err == nil && ca.Pool() == nil {
			t.Error("a CA without a pool")
		}
	})
}
