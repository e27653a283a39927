// Package credential owns the secrets of a new workspace: the bundle that a customer is shown once. It refuses to print itself.
package credential

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"

	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

// Bundle is what a customer is shown once.
type Bundle struct {
	DatabaseUser     string `json:"database_user"`
	DatabasePassword string `json:"database_password"`
	DatabaseURL      string `json:"database_url"`
	S3AccessKey      string `json:"s3_access_key"`
	S3SecretKey      string `json:"s3_secret_key"`
	SecretKey        string `json:"secret_key"`
	PublicKey        string `json:"public_key"`
}

// LogValue says REDACTED in logs.
func (Bundle) LogValue() slog.Value { return slog.StringValue("REDACTED") }

// Format says REDACTED for every verb.
func (Bundle) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("REDACTED")) }

// URL is the connection string of a login.
func URL(c cell.Cell, user, password string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Path: "/" + c.Database,
		Host: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), RawQuery: c.TLSParameters,
	}
	return u.String()
}
