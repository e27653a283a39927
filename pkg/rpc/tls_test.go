package rpc_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/rpc/pki"
	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
)

// shake makes one connection and returns the certificate that the client saw and both ends' errors.
func shake(t *testing.T, server, client *tls.Config) (seen string, err error) {
	t.Helper()
	lis, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	answer := make(chan error, 1)
	go func() { answer <- greet(lis) }()
	conn, err := tls.Dial("tcp", lis.Addr().String(), client)
	if err == nil {
		seen = conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
		_, err = io.ReadAll(conn)
		_ = conn.Close()
	}
	return seen, errors.Join(err, <-answer)
}

func greet(lis net.Listener) error {
	conn, err := lis.Accept()
	if err != nil {
		return err
	}
	_, err = io.WriteString(conn, "hello")
	return errors.Join(err, conn.Close())
}

func TestStrangersAreRefusedOnBothEnds(t *testing.T) {
	t.Parallel()
	ours, theirs := rpctest.New(t), rpctest.New(t)
	server := ours.ServerTLS(t, "tenant")
	old := ours.ClientTLS(t, "gateway", "tenant")
	old.MaxVersion = tls.VersionTLS12
	old.MinVersion = tls.VersionTLS12
	bare := ours.ClientTLS(t, "gateway", "tenant")
	bare.GetClientCertificate = nil
	for name, client := range map[string]*tls.Config{
		"another CA":     theirs.ClientTLS(t, "gateway", "tenant"),
		"another server": ours.ClientTLS(t, "gateway", "backup"),
		"no certificate": bare,
		"an old version": old,
	} {
		if _, err := shake(t, server, client); err == nil {
			t.Errorf("accepted %s", name)
		}
	}
	if _, err := shake(t, server, ours.ClientTLS(t, "gateway", "tenant")); err != nil {
		t.Errorf("refused our own: %v", err)
	}
}

func TestReplacedFilesAreUsedWithoutARestart(t *testing.T) {
	t.Parallel()
	net := rpctest.New(t)
	files := net.Files(t, "tenant")
	server, err := rpc.ServerTLS(files)
	if err != nil {
		t.Fatal(err)
	}
	client := net.ClientTLS(t, "gateway", "tenant")
	before, err := shake(t, server, client)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, files)
	if after, err := shake(t, server, client); err != nil || after == before {
		t.Errorf("still the old certificate, or %v", err)
	}
}

// replace makes another CA's certificate for the tenant, under the paths of files and trusted by both ends' file.
func replace(t *testing.T, files rpc.Files) {
	t.Helper()
	dir, err := pki.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := dir.Ensure(pki.Leaf{Service: "tenant", From: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(files.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.CAFile, append(old, dir.CA().CertPEM()...), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{fresh.KeyFile: files.KeyFile, fresh.CertFile: files.CertFile} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnreadableFilesAreNamed(t *testing.T) {
	t.Parallel()
	files := rpctest.New(t).Files(t, "tenant")
	files.CAFile = files.KeyFile
	if _, err := rpc.ServerTLS(files); err == nil {
		t.Error("accepted a key as a CA")
	}
	if _, err := rpc.ClientTLS(rpc.Files{}, "tenant"); err == nil {
		t.Error("accepted no files")
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis
}
