package house

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The binary embeds a copy, since go:embed does not leave its module.
func TestEmbeddedNATSPermissionsAreThoseOfProduction(t *testing.T) {
	t.Parallel()
	var copies [2][]byte
	for i, path := range []string{"../../../../deploy/k8s/nats/permissions.yaml", "../up/permissions.yaml"} {
		content, err := os.ReadFile(filepath.FromSlash(path))
		if err != nil {
			t.Fatal(err)
		}
		copies[i] = content
	}
	if !bytes.Equal(copies[0], copies[1]) {
		t.Error("cmd/naksha/internal/up/permissions.yaml differs from deploy/k8s/nats/permissions.yaml: run make generate")
	}
}
