package cli

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
)

// closed is a port where nobody listens.
const closed = "https://127.0.0.1:1"

// stopped is the state directory of a platform that ran once.
func stopped(t *testing.T, at target) string {
	t.Helper()
	dir := t.TempDir()
	endpoints := `{"gateway":"` + closed + `","ca_file":"` + at.CAFile + `","admin_key_file":"` + at.KeyFile + `"}`
	if err := os.WriteFile(filepath.Join(dir, "endpoints.json"), []byte(endpoints), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestGatewayThatCannotBeReachedIsToldWithTheRemedy(t *testing.T) {
	t.Parallel()
	good := newGateway(t, 1).at
	but := func(change func(*target)) target {
		to := good
		change(&to)
		return to
	}
	plain := httptest.NewServer(nil)
	t.Cleanup(plain.Close)
	dir := stopped(t, good)
	for name, test := range map[string]struct {
		at     target
		code   int
		reason string
		remedy string
	}{
		"a stopped platform":  {target{dir: dir}, exitError, "NOT_RUNNING", "naksha up --dir " + dir},
		"no platform":         {target{dir: t.TempDir()}, exitError, "NOT_RUNNING", "naksha up"},
		"a closed port":       {but(func(to *target) { to.Server = closed }), exitError, "GATEWAY_UNREACHABLE", "--server"},
		"another CA":          {but(func(to *target) { to.CAFile = rpctest.New(t).Files(t, "x").CAFile }), exitError, "CA_UNKNOWN", "--ca-file"},
		"no TLS":              {but(func(to *target) { to.Server = strings.Replace(plain.URL, "http:", "https:", 1) }), exitError, "NO_GATEWAY", "--server"},
		"a file without a CA": {but(func(to *target) { to.CAFile = to.KeyFile }), exitUsage, "CA_FILE_MALFORMED", "--ca-file"},
		"no such CA file":     {but(func(to *target) { to.CAFile += ".gone" }), exitUsage, "FILE_UNREADABLE", "--ca-file"},
		"no such key file":    {but(func(to *target) { to.KeyFile += ".gone" }), exitUsage, "FILE_UNREADABLE", "--key-file"},
		"an empty key":        {but(func(to *target) { to.KeyFile = keyOf(t, "\n") }), exitAuth, "KEY_MALFORMED", "--key-file"},
		"junk for a key":      {but(func(to *target) { to.KeyFile = keyOf(t, "\x00\xff junk\n") }), exitAuth, "KEY_MALFORMED", "--key-file"},
	} {
		got := test.at.run(t.Context(), "key", "list", "x", "-o", "json")
		if got.code != test.code || got.err != "" || !strings.Contains(got.out, `"reason":"`+test.reason+`"`) ||
			!strings.Contains(got.out, test.remedy) || strings.Contains(got.out, "desc =") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestReasonsOfTheNetworkBecomeSentences(t *testing.T) {
	t.Parallel()
	for why, want := range map[string]string{
		"name resolver error: produced zero addresses":                                    "HOST_UNKNOWN",
		`desc = "dns: A record lookup error: lookup x on 1.1.1.1:53: no such host"`:       "HOST_UNKNOWN",
		`tls: failed to verify certificate: x509: certificate is valid for x, not y"`:     "CERTIFICATE_REFUSED",
		"credentials: cannot check peer: missing selected ALPN property. If you upgraded": "NO_GATEWAY",
		"error reading from server: EOF":                                                  "GATEWAY_UNREACHABLE",
	} {
		got := target{Server: "https://h:1"}.unreachable(why)
		if got.Reason != want || got.Remedy == "" || !strings.HasSuffix(got.Message, ".") || strings.Contains(got.Message, `"`) {
			t.Errorf("%s: %+v", why, got)
		}
	}
}

func TestTextThatIsNotUTF8IsAUsageError(t *testing.T) {
	t.Parallel()
	got := newGateway(t, 1).at.run(t.Context(), "key", "list", "a\xffb")
	if got.code != exitUsage || !strings.Contains(got.err, "no UTF-8 text") {
		t.Errorf("%+v", got)
	}
}
