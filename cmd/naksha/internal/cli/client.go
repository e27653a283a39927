package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

// target says where a gateway is and which key to present.
type target struct {
	Server  string `yaml:"server"`   // https://host:port
	CAFile  string `yaml:"ca_file"`  // CA of its certificate; empty = the system's
	KeyFile string `yaml:"key_file"` // file with an API key, mode 0600
	key     string // NAKSHA_KEY: the key itself, for containers
	dir     string // state directory of the platform, if it was found there
}

func (t *target) addFlags(flags *pflag.FlagSet, getenv func(string) string) {
	flags.StringVar(&t.Server, "server", getenv("NAKSHA_SERVER"), "gateway, https://host:port (NAKSHA_SERVER)")
	flags.StringVar(&t.CAFile, "ca-file", getenv("NAKSHA_CA_FILE"), "CA of the gateway's certificate (NAKSHA_CA_FILE)")
	flags.StringVar(&t.KeyFile, "key-file", getenv("NAKSHA_KEY_FILE"), "file with the API key (NAKSHA_KEY_FILE); NAKSHA_KEY holds a key itself")
	t.key = getenv("NAKSHA_KEY")
}

// resolve finds the target: flags and environment, then the context, then the platform of the state directory.
func (a *App) resolve() (target, error) {
	t := a.target
	if t.Server == "" {
		stored, err := a.currentContext()
		if err != nil {
			return t, err
		}
		t.fill(stored)
	}
	if t.Server == "" {
		dir, err := a.stateDir()
		if err != nil {
			return t, err
		}
		e, err := up.ReadEndpoints(dir)
		if err != nil {
			return t, err
		}
		t.fill(target{Server: e.Gateway, CAFile: e.CAFile, KeyFile: e.AdminKeyFile})
		t.dir = dir
	}
	return t, nil
}

// fill takes what is not known yet; a key of the environment counts more than a stored file.
func (t *target) fill(from target) {
	if t.key != "" {
		from.KeyFile = ""
	}
	for _, f := range []struct{ to, from *string }{
		{&t.Server, &from.Server}, {&t.CAFile, &from.CAFile}, {&t.KeyFile, &from.KeyFile},
	} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
}

func (a *App) stateDir() (string, error) {
	if a.dir != "" {
		return a.dir, nil
	}
	return up.DefaultDir()
}

// dial connects to the gateway.
func (a *App) dial() (*grpc.ClientConn, error) {
	t, err := a.resolve()
	if err != nil {
		return nil, err
	}
	return t.dial()
}

func (t target) dial() (*grpc.ClientConn, error) {
	host, err := t.host()
	if err != nil {
		return nil, err
	}
	key, err := t.readKey()
	if err != nil {
		return nil, err
	}
	roots, err := t.roots()
	if err != nil {
		return nil, err
	}
	return grpc.NewClient(host,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots})),
		grpc.WithPerRPCCredentials(bearer(key)),
		grpc.WithChainUnaryInterceptor(t.explain, withDeadline),
		grpc.WithUserAgent("naksha-cli"))
}

// host is host:port of the server.
func (t target) host() (string, error) {
	u, err := url.Parse(t.Server)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return "", usageError{fmt.Errorf("server %q is no https://host:port", t.Server)}
	}
	return u.Host, nil
}

// roots is nil for the system's.
func (t target) roots() (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	content, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, unreadable("CA file", "--ca-file", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fault.Invalid("CA_FILE_MALFORMED", "CA file %s holds no certificate in PEM form.", t.CAFile).
			WithRemedy("Name another with --ca-file.")
	}
	return pool, nil
}

func (t target) readKey() (string, error) {
	if t.KeyFile == "" {
		if t.key == "" {
			return "", usageError{errors.New("no API key: name its file with --key-file, or set NAKSHA_KEY")}
		}
		return checkKey("NAKSHA_KEY", t.key)
	}
	content, err := os.ReadFile(t.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.Invalid("FILE_UNREADABLE", "API key file: %v.", err).
			WithRemedy("Name another with --key-file. Who has lost the operator's key makes a new one with `naksha up --new-admin-key`.")
	}
	if err != nil {
		return "", unreadable("API key file", "--key-file", err)
	}
	return checkKey("API key file "+t.KeyFile, strings.TrimSpace(string(content)))
}

// checkKey refuses what no header can carry.
func checkKey(source, key string) (string, error) {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fault.Unauthenticated("KEY_MALFORMED", "%s holds no API key.", source).
			WithRemedy("A key is one word that begins with nk_; name its file with --key-file.")
	}
	return key, nil
}

// unreadable says that a file which a flag names cannot be read.
func unreadable(what, flag string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fault.Denied("FILE_DENIED", "%s: %v.", what, err).WithRemedy("Run as its owner, or name another with %s.", flag)
	}
	return fault.Invalid("FILE_UNREADABLE", "%s: %v.", what, err).WithRemedy("Name another with %s.", flag)
}

// bearer presents an API key with every call, over TLS only.
type bearer string

// GetRequestMetadata returns the authorization header.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity says that a key never travels in the clear.
func (bearer) RequireTransportSecurity() bool { return true }

// callTimeout bounds a call that has no deadline of its own.
const callTimeout = 30 * time.Second

func withDeadline(ctx context.Context, method string, q, r any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return invoke(ctx, method, q, r, c, o...)
}
