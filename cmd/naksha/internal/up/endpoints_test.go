package up

import "testing"

func TestQuotedPathIsOneWordOfAShell(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/var/lib/naksha": "/var/lib/naksha", "": "''", "/a b": "'/a b'", "it's": `'it'\''s'`, "/$HOME": "'/$HOME'", "/é": "'/é'",
	} {
		if got := Quoted(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
