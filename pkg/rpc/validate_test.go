package rpc

import "testing"

func TestPatternsAreToldInWords(t *testing.T) {
	t.Parallel()
	const ref = ", where {ref} is the 20 letters that `naksha workspace list` shows"
	for pattern, want := range map[string]string{
		"^workspaces/[a-z]{20}$":                           "must be workspaces/{ref}" + ref,
		"^workspaces/[a-z]{20}/keys/[0-9A-Za-z]{12}$":      "must be workspaces/{ref}/keys/{kid}" + ref,
		"^incidents/[0-9a-f-]{36}$":                        "must be incidents/{id}",
		"^services/(tenant|backup)$":                       "must be services/(tenant or backup)",
		"^(workspaces/[a-z]{20}|servers/[0-9a-z-]{1,63})$": "must be workspaces/{ref} or servers/{server}" + ref,
		"^servers/[0-9a-z-]{1,63}/x/[a-z][a-z0-9-]{0,62}$": "must be servers/{server}/x/{credential}",
		`^[^\p{C}]*$`: "must hold no control characters",
		`^[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$`:           "must hold no control characters, and not begin or end with a space",
		"^SCRAM-SHA-256\\$[0-9]{4,7}:[A-Za-z0-9+/=]{16,64}$": "",
	} {
		if got := patternWords(pattern); got != want {
			t.Errorf("%s: %q", pattern, got)
		}
	}
}
