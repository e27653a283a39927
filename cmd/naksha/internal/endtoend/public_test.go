package endtoend

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// away is an address of this machine that is not the one where private things listen.
const away = "127.0.0.2"

// authority signs certificates as an operator's would.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{dir: t.TempDir()}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(t, "ca.crt", "CERTIFICATE", der)
	return a
}

func (a authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a authority) write(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	content := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(a.path(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// issue writes a certificate for names under the authority, in place of the one before.
func (a authority) issue(t *testing.T, serial int64, ends time.Time, names ...string) up.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: ends,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, "tls.key", "PRIVATE KEY", private)
	a.write(t, "tls.crt", "CERTIFICATE", der)
	return up.Certificate{CertFile: a.path("tls.crt"), KeyFile: a.path("tls.key"), CAFile: a.path("ca.crt")}
}

func TestCustomersComeInFromElsewhereByTheOperatorsCertificate(t *testing.T) {
	t.Parallel()
	owner, dir := newAuthority(t), filepath.Join(localtest.TempDir(t), "state")
	platform, err := up.New(up.Config{
		Dir: dir, Log: t.Output(), Slots: 1, Listen: away, TLS: owner.issue(t, 100, time.Now().Add(time.Hour), away),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := platform.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w := &world{dir: dir, platform: platform, endpoints: platform.Endpoints()}
	made, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t))).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "far away"})
	if err != nil {
		t.Fatal(err)
	}
	postgresFromElsewhere(t, made.GetCredentials().GetDatabaseUrl(), owner.path("ca.crt"))
	storageFromElsewhere(t, w, made)
	for what, address := range map[string]string{"admin": w.endpoints.Admin, "alerting": w.endpoints.Alerting, "NATS": w.endpoints.NATS} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := net.Dial("tcp", net.JoinHostPort(away, u.Port())); err == nil {
			conn.Close()
			t.Errorf("%s answers elsewhere", what)
		}
	}
	followsRenewal(t, owner, w)
}

// postgresFromElsewhere uses a workspace's schema as its owner does, and without TLS in vain.
func postgresFromElsewhere(t *testing.T, address, ca string) {
	t.Helper()
	if !strings.Contains(address, "@"+away+":") || !strings.Contains(address, "sslmode=verify-full") {
		t.Errorf("the workspace's URL does not point elsewhere with full verification")
	}
	conn, err := pgx.Connect(t.Context(), address+"&sslrootcert="+url.QueryEscape(ca))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var n int
	if err := conn.QueryRow(t.Context(), "CREATE TABLE far (id int)").Scan(); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Error(err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM generate_series(1, 100000)").Scan(&n); err != nil || n != 100_000 {
		t.Errorf("%d rows, %v", n, err)
	}
	slow, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(slow, "SELECT pg_sleep(60)"); err == nil {
		t.Error("a cancelled query ended well")
	}
	_, err = pgx.Connect(t.Context(), strings.Replace(address, "sslmode=verify-full", "sslmode=disable", 1))
	if refused := new(pgconn.PgError); !errors.As(err, &refused) || refused.Code != "28000" {
		t.Errorf("without TLS: %v", err)
	}
}

// storageFromElsewhere puts and gets an object by the customer's own key.
func storageFromElsewhere(t *testing.T, w *world, made *tenantv1.CreateWorkspaceResponse) {
	t.Helper()
	for region, address := range made.GetWorkspace().GetEndpoints().GetS3Endpoints() {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.Hostname() != away {
			t.Fatalf("region %s is at %s, %v", region, address, err)
		}
		client, err := minio.New(u.Host, &minio.Options{
			Creds:  credentials.NewStaticV4(made.GetCredentials().GetS3AccessKeyId(), made.GetCredentials().GetS3SecretAccessKey(), ""),
			Secure: true, Region: "us-east-1", Transport: &http.Transport{TLSClientConfig: w.tls(t), DisableKeepAlives: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		if region != "primary" {
			continue
		}
		text := strings.Repeat("far ", 300_000)
		_, err = client.PutObject(t.Context(), made.GetWorkspace().GetEndpoints().GetBucket(), "object", strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{})
		if err != nil {
			t.Errorf("region %s: %v", region, err)
		}
	}
}

// followsRenewal renews the certificate and looks at what each door shows to the next client.
func followsRenewal(t *testing.T, owner authority, w *world) {
	t.Helper()
	owner.issue(t, 200, time.Now().Add(2*time.Hour), away)
	later := time.Now().Add(time.Minute) // a file system may keep whole seconds only
	for _, name := range []string{"tls.key", "tls.crt"} {
		if err := os.Chtimes(owner.path(name), later, later); err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range []string{w.endpoints.Gateway, w.endpoints.S3Primary, w.endpoints.S3DR} {
		servicetest.Eventually(t, func() error {
			conn, err := tls.Dial("tcp", strings.TrimPrefix(address, "https://"), w.tls(t))
			if err != nil {
				return err
			}
			defer conn.Close()
			if serial := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); serial != 200 {
				return fmt.Errorf("%s shows certificate %d", address, serial)
			}
			return nil
		})
	}
}

func TestListeningElsewhereWithoutAFittingCertificateIsRefused(t *testing.T) {
	t.Parallel()
	in := time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		config func(t *testing.T) up.Config
		says   string
	}{
		"no certificate":     {func(*testing.T) up.Config { return up.Config{Listen: "0.0.0.0"} }, "--tls-cert"},
		"all of IPv6":        {func(*testing.T) up.Config { return up.Config{Listen: "::"} }, "--tls-cert"},
		"a host name":        {func(*testing.T) up.Config { return up.Config{Listen: "example.com"} }, "no IP address"},
		"half a certificate": {func(*testing.T) up.Config { return up.Config{Listen: away, TLS: up.Certificate{CertFile: "x"}} }, "--tls-key"},
		"no such file":       {func(*testing.T) up.Config { return up.Config{TLS: up.Certificate{CertFile: "x", KeyFile: "y"}} }, "no such file"},
		"an ended certificate": {func(t *testing.T) up.Config {
			return up.Config{TLS: newAuthority(t).issue(t, 1, time.Now().Add(-time.Hour), away)}
		}, "renew it"},
		"only wildcards": {func(t *testing.T) up.Config { return up.Config{TLS: newAuthority(t).issue(t, 1, in, "*.example.com")} }, "--public-host"},
		"another name": {func(t *testing.T) up.Config {
			return up.Config{TLS: newAuthority(t).issue(t, 1, in, "a.example.com"), PublicHost: "b.example.com"}
		}, "does not name b.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := test.config(t)
			c.Dir = t.TempDir()
			if _, err := up.New(c); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}
