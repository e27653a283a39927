package tenant

import (
	"testing"

	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

func TestCustomersAndServicesHaveTheirOwnAddresses(t *testing.T) {
	t.Parallel()
	inside := cell.Address{Host: "127.0.0.1", Port: 7811, TLSParameters: "sslmode=disable"}
	c := Cell{ID: "cell1", Server: "server1", URL: "postgres://ddl:x@127.0.0.1:7811/cell1?sslmode=disable"}
	one, err := c.noun()
	if err != nil {
		t.Fatal(err)
	}
	if one.Inside != inside || one.Host != inside.Host || one.Port != inside.Port || one.TLSParameters != inside.TLSParameters {
		t.Errorf("one address for both: %+v", one)
	}
	c.Host, c.Port, c.TLSParameters = "cell.example.com", 5432, "sslmode=verify-full"
	two, err := c.noun()
	if err != nil {
		t.Fatal(err)
	}
	if two.Inside != inside || two.Host != c.Host || two.Port != c.Port || two.TLSParameters != c.TLSParameters {
		t.Errorf("two addresses: %+v", two)
	}
}

func TestTLSParametersOfAnOddlyNamedFileStayReadableToPostgresClients(t *testing.T) {
	t.Parallel()
	c := Cell{ID: "cell1", Server: "server1", URL: "postgres://ddl:x@127.0.0.1/cell1?sslrootcert=/a%20b%2B1%25/ca.crt&sslmode=verify-full"}
	one, err := c.noun()
	if want := "sslmode=verify-full&sslrootcert=%2Fa%20b%2B1%25%2Fca.crt"; err != nil || one.TLSParameters != want {
		t.Errorf("got %s, %v", one.TLSParameters, err)
	}
}
