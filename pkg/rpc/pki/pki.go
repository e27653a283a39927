// Package pki makes the certificates of the platform's mutual TLS: a CA of its own and short leaf certificates that name
// a service by the URI spiffe://naksha/<service>. It holds keys only as long as it issues; where an outside PKI
// (cert-manager, SPIRE) issues the same names, nothing here is needed.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// Lifetimes of certificates, and how long before its end a leaf is replaced.
const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 365 * 24 * time.Hour
	renewBefore  = 30 * 24 * time.Hour
	clockSkew    = 5 * time.Minute // a certificate is valid that much earlier, for machines whose clock is behind
)

// TrustDomain is the host of every service's URI.
const TrustDomain = "naksha"

// CA signs leaf certificates.
type CA struct {
	cert *x509.Certificate
	pem  []byte
	key  crypto.Signer
	keyB []byte
}

// NewCA makes a CA that is valid from now.
func NewCA(now time.Time) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Naksha CA " + serial.Text(36)[:6]},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(caLifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign CA certificate: %w", err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return ParseCA(encodeCert(der), keyPEM)
}

// ParseCA reads a CA from its PEM files.
func ParseCA(certPEM, keyPEM []byte) (*CA, error) {
	cert, err := parseCert(certPEM)
	if err != nil {
		return nil, fmt.Errorf("read CA certificate: %w", err)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read CA key: %w", err)
	}
	return &CA{cert: cert, pem: certPEM, key: key, keyB: keyPEM}, nil
}

// CertPEM is the CA's certificate, which clients trust.
func (ca *CA) CertPEM() []byte { return ca.pem }

// KeyPEM is the CA's private key.
func (ca *CA) KeyPEM() []byte { return ca.keyB }

// Pool is a pool of this CA alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Leaf says what a certificate is for.
type Leaf struct {
	Service string   // URI spiffe://naksha/<service>, and a DNS name
	DNS     []string // further DNS names; "localhost" is always there
	IPs     []net.IP // further addresses; 127.0.0.1 and ::1 are always there
	From    time.Time
}

// Issue signs a certificate for server and client use, valid for a year from leaf.From.
func (ca *CA) Issue(leaf Leaf) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make key of %s: %w", leaf.Service, err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf.template(serial), ca.cert, key.Public(), ca.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate of %s: %w", leaf.Service, err)
	}
	keyPEM, err = encodeKey(key)
	return encodeCert(der), keyPEM, err
}

func (l Leaf) template(serial *big.Int) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: l.Service},
		NotBefore:    l.From.Add(-clockSkew),
		NotAfter:     l.From.Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:     append([]string{"localhost", l.Service}, l.DNS...),
		IPAddresses:  append([]net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}, l.IPs...),
		URIs:         []*url.URL{{Scheme: "spiffe", Host: TrustDomain, Path: "/" + l.Service}},
	}
}

// ServiceOf returns the service that cert names; an error when it names none or several.
func ServiceOf(cert *x509.Certificate) (string, error) {
	var names []string
	for _, u := range cert.URIs {
		if u.Scheme == "spiffe" && u.Host == TrustDomain && len(u.Path) > 1 {
			names = append(names, u.Path[1:])
		}
	}
	if len(names) != 1 {
		return "", fmt.Errorf("certificate %q names %d services by spiffe://%s/…, want 1",
			cert.Subject.CommonName, len(names), TrustDomain)
	}
	return names[0], nil
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	return serial.Add(serial, big.NewInt(1<<40)), nil
}

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseCert(b []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate in PEM form")
	}
	return x509.ParseCertificate(block.Bytes)
}

func parseKey(b []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("no key in PEM form")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", key)
	}
	return signer, nil
}
