package local_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func startPostgres(t *testing.T, config local.PostgresConfig) *local.Postgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	p, err := local.StartPostgres(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func stopTwice(t *testing.T, p *local.Postgres) {
	t.Helper()
	for range 2 {
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func wantStartError(t *testing.T, config local.PostgresConfig, want string) {
	t.Helper()
	p, err := local.StartPostgres(t.Context(), config)
	if err == nil {
		stopTwice(t, p)
		t.Fatal("it started")
	}
	if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), config.SuperuserPassword+"x") {
		t.Errorf("%q does not say %q", err, want)
	}
}

// query runs a statement and returns the first column of its first row, or an empty string.
func query(t *testing.T, connString, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), connString)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (value string, err error) { return value, row.Scan(&value) })
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// certificate makes a self-signed certificate for 127.0.0.1, which is its own CA.
func certificate(t *testing.T) (certFile, keyFile, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // 0700: the server cannot enter it and must get copies
	certFile, keyFile = dir+"/server.crt", dir+"/server.key"
	if err := errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile, certFile
}
