package credential

import (
	"fmt"
	"testing"

	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

func TestBundleNeverPrintsItself(t *testing.T) {
	t.Parallel()
	b := Bundle{DatabasePassword: "hidden"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if out := fmt.Sprintf(verb, b); out != "REDACTED" {
			t.Errorf("%s prints %s", verb, out)
		}
	}
	if b.LogValue().String() != "REDACTED" {
		t.Error("the log shows it")
	}
}

func TestURLCarriesTheCellsTLSParameters(t *testing.T) {
	t.Parallel()
	c := cell.Cell{Host: "::1", Port: 7811, Database: "cell1", TLSParameters: "sslmode=verify-full"}
	if got := URL(c, "u", "p"); got != "postgres://u:p@[::1]:7811/cell1?sslmode=verify-full" {
		t.Error(got)
	}
}
