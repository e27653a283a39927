package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestUsageErrorsAreObjectsInJSONMode(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"nope -o json", "-o json nope", "workspace nope -ojson", "key list --nope x --output json", "key list --output=json",
		"key list x --page-size many -o=json", "workspace delete x -o json", "context use nowhere -o json",
	} {
		got := target{}.run(t.Context(), strings.Fields(line)...)
		var object struct{ Error failure }
		if err := json.Unmarshal([]byte(got.out), &object); err != nil || got.err != "" || got.code != exitUsage ||
			object.Error.Code != "INVALID_ARGUMENT" || object.Error.Reason != "USAGE" {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
}

func TestUsageErrorsSayWhatToGive(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"key list":                           "an argument is missing: usage: naksha key list WORKSPACE",
		"status now":                         "one argument does not fit: usage: naksha status",
		"restore create a b c":               "3 arguments do not fit: usage: naksha restore create WORKSPACE SNAPSHOT",
		"key list x --page-size many":        `--page-size "many": give a whole number: see`,
		"rotation create x --deadline never": `--deadline "never": give a length of time such as 30s or 24h: see`,
		"key delete x":                       "This revokes x for good: say so with --yes, since nobody can be asked here",
		"key list x -o xml":                  `"xml" is not table, json, yaml or name`,
		"key list --nope":                    "unknown flag: --nope: see `naksha key list --help`",
	} {
		got := target{}.run(t.Context(), strings.Fields(line)...)
		if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, want) {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
