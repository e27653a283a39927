package v2

import (
	"net/http"
	"runtime"
	"runtime/debug"
)

func (a *api) getReceivers(*http.Request) (any, error) { return []named{{receiver}}, nil }

// getStatus answers in Alertmanager's form: clients read the version and whether there is a cluster.
func (a *api) getStatus(*http.Request) (any, error) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	return map[string]any{
		"cluster": map[string]any{"status": "disabled", "peers": []any{}},
		"config":  map[string]string{"original": ""},
		"uptime":  a.started,
		"versionInfo": map[string]string{
			"version": version, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
		},
	}, nil
}
