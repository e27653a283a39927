package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

// readOutside reads file, environment and flags as `naksha up` does.
func readOutside(t *testing.T, file string, environ map[string]string, args ...string) (up.External, error) {
	t.Helper()
	var o outside
	flags := pflag.NewFlagSet("up", pflag.ContinueOnError)
	o.addFlags(flags)
	if file != "" {
		path := filepath.Join(t.TempDir(), "up.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o.read(func(name string) string { return environ[name] })
}

func TestPiecesElsewhereComeFromFileEnvironmentAndFlags(t *testing.T) {
	t.Parallel()
	got, err := readOutside(t, "database_url: postgres://file\nnats: {url: nats://file, replicas: 3}\ns3: {dr: {access_key: file}}",
		map[string]string{"NAKSHA_UP_DATABASE_URL": "postgres://u:p@environ/x", "NAKSHA_UP_S3_DR_SECRET_KEY": "environ"},
		"--nats-url", "nats://flag", "--cell-url", "postgres://u@flag/x", "--s3-endpoint", "primary=http://a,dr=http://b",
		"--s3-iam-endpoint", "dr=http://c", "--nats-passwords", "/p")
	if err != nil {
		t.Fatal(err)
	}
	want := up.External{
		DatabaseURL: "postgres://u:p@environ/x", CellURL: "postgres://u@flag/x",
		NATS: up.ExternalNATS{URL: "nats://flag", PasswordsFile: "/p", Replicas: 3},
		S3: up.ExternalS3{
			Primary: up.ExternalRegion{Endpoint: "http://a"},
			DR:      up.ExternalRegion{Endpoint: "http://b", IAMEndpoint: "http://c", AccessKey: "file", SecretKey: "environ"},
		},
	}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

func TestPiecesElsewhereRefuseSecretsInTheProcessListAndUnknownNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file, says string
		args       []string
	}{
		{says: "list of processes", args: []string{"--database-url", "postgres://u:secret@h/x"}},
		{says: "list of processes", args: []string{"--cell-url", "postgres://u:secret@h/x"}},
		{says: "primary and dr", args: []string{"--s3-endpoint", "west=http://a"}},
		{says: "primary and dr", args: []string{"--s3-iam-endpoint", "west=http://a"}},
		{says: "database_url", file: "databse_url: x"},
	} {
		_, err := readOutside(t, test.file, nil, test.args...)
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%v: %v", test, err)
		}
	}
}
