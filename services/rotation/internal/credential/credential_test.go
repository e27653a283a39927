package credential_test

import (
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
)

func TestNamesSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	for _, try := range []struct{ name, owner, workspace, holder string }{
		{"workspaces/abcdefghijklmnopqrst/credentials/database", "workspaces/abcdefghijklmnopqrst", "abcdefghijklmnopqrst", credential.External},
		{"servers/server1/credentials/backup-reader", "servers/server1", "", "backup"},
	} {
		n, err := credential.Parse(try.name)
		if err != nil || n.Owner() != try.owner || n.Workspace() != try.workspace || n.Holder() != try.holder {
			t.Errorf("%s: owner %s, workspace %s, holder %s, %v", try.name, n.Owner(), n.Workspace(), n.Holder(), err)
		}
	}
}

func TestNoOtherNamesExist(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "/", "database", "/credentials/database", "workspaces/a", "workspaces/a/credentials/backup-reader",
		"servers/a/credentials/database", "workspaces/a/credentials/", "workspaces/a/credentials/database/credentials/database",
	} {
		if _, err := credential.Parse(name); fault.ReasonOf(err) != "CREDENTIAL_UNKNOWN" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// FuzzParse wants a known kind or CREDENTIAL_UNKNOWN.
func FuzzParse(f *testing.F) {
	f.Add("workspaces/abcdefghijklmnopqrst/credentials/database")
	f.Add("servers/s/credentials/backup-reader")
	f.Fuzz(func(t *testing.T, name string) {
		n, err := credential.Parse(name)
		if err == nil && !strings.HasPrefix(name, n.Owner()+"/credentials/") {
			t.Errorf("%q has owner %q", name, n.Owner())
		}
	})
}
