// Package blob is object storage by its S3 verbs, with short retries, deadlines, checksums, and faults instead of XML
// codes. It speaks nothing but S3: no administration API of any server. An object is written whole, up to 64 MiB, since
// conditional headers are lost on multipart uploads.
package blob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/conf"
)

// Deadlines of one call that brings none, and how often a failed request is sent.
const (
	askDeadline   = 15 * time.Second
	writeDeadline = 2 * time.Minute
	attempts      = 3
)

// Config says where the storage is and with which key to reach it.
type Config struct {
	Endpoint  string      `conf:"endpoint" doc:"URL of the S3 endpoint, http://host:port or https://…"`
	AccessKey string      `conf:"access_key" doc:"access key id"`
	SecretKey conf.Secret `conf:"secret_key" doc:"secret access key"`
	Region    string      `conf:"region" doc:"region name for signatures; us-east-1 when empty"`
	CAFile    string      `conf:"ca_file" doc:"certificates that an https endpoint must be signed by; the system's when empty"`
}

// Store is one S3 endpoint, reached with one key. Its methods may be called from any goroutine.
type Store struct {
	core      minio.Core
	keys      *keyring
	region    string
	transport *http.Transport
}

// Open returns a Store; it makes no request. Close ends its idle connections.
func Open(cfg Config) (*Store, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("open storage: endpoint %q: want http://host:port or https://host:port", cfg.Endpoint)
	}
	transport, err := newTransport(cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("open storage %s: %w", cfg.Endpoint, err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	keys := newKeyring(cfg.AccessKey, cfg.SecretKey)
	client, err := minio.New(u.Host, &minio.Options{
		Creds: keys.credentials(), Secure: u.Scheme == "https", Region: cfg.Region, Transport: transport,
		BucketLookup: minio.BucketLookupPath, MaxRetries: attempts,
	})
	if err != nil {
		return nil, fmt.Errorf("open storage %s: %w", cfg.Endpoint, err)
	}
	return &Store{core: minio.Core{Client: client}, keys: keys, region: cfg.Region, transport: transport}, nil
}

// SetCredentials makes every later request use another key; requests under way keep theirs.
func (s *Store) SetCredentials(accessKey string, secret conf.Secret) { s.keys.set(accessKey, secret) }

// Close ends idle connections; a closed Store still works.
func (s *Store) Close() { s.transport.CloseIdleConnections() }

// Ready reports whether the storage answers and knows the key. What the key may do is not asked: a bucket that is absent
// or closed to it is proof enough. (A HEAD request would not do: its refusals have no code.)
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	for _, err := range s.List(ctx, "naksha-readiness", "") {
		if !reachable(err) {
			return err
		}
		break
	}
	return nil
}

// newTransport bounds every step of a request but the transfer itself, which may be long for good reasons.
func newTransport(caFile string) (*http.Transport, error) {
	t := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true, // an object's bytes are what was put there
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if caFile == "" {
		return t, nil
	}
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read CA certificates: %w", err)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("read CA certificates: %s holds none in PEM form", caFile)
	}
	return t, nil
}

// limit gives ctx the deadline d when it has none.
func limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}
