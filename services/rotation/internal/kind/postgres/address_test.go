package postgres_test

import (
	"net/url"
	"testing"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
)

func TestLocatedURLIsTheCustomersAddress(t *testing.T) {
	t.Parallel()
	cell := celltest.New(t)
	n := credential.ForWorkspace(cell.AddWorkspace(t).Name)
	s := install(t, conforming(t, cell, n, 2))
	_, text, err := postgres.New(cell.Client(t), postgres.Dial).Locate(t.Context(), n, 2, s)
	if err != nil {
		t.Fatal(err)
	}
	if located, err := url.Parse(text); err != nil || located.Query().Get("application_name") != "customer" {
		t.Errorf("located by the services' address: %v", err)
	}
}
