package house

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// machinePath matches folders that exist on one developer's machine only. The first group is the character before, so
// that a path inside a longer one (srv/home/…) is not taken for one.
var machinePath = regexp.MustCompile(`(^|[^A-Za-z0-9_.\-/}])/(work|root|farm|home)/[a-z.]`)

// registryHosts are download hosts: which one a machine uses is its own configuration. Written in two parts so that
// this file does not name them.
var registryHosts = []string{
	"proxy." + "golang.org", "sum." + "golang.org", "registry." + "npmjs.org", "deb." + "debian.org", "archive." + "ubuntu.com",
}

// foreignText may say what it likes: definitions of others, and checksums.
func foreignText(name string) bool {
	base := path.Base(name)
	return within(name, "proto/third_party") || base == "go.sum" || base == "go.work.sum"
}

// MachineTraces refuses paths of a machine and registry hosts in the named files.
func MachineTraces(tree fs.FS, names []string) ([]Violation, error) {
	var bad []Violation
	for _, name := range names {
		if foreignText(name) {
			continue
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue
		}
		for i, line := range strings.Split(string(text), "\n") {
			if why := trace(line); why != "" {
				bad = append(bad, Violation{Path: name, Line: i + 1, Why: why})
			}
		}
	}
	return bad, nil
}

func trace(line string) string {
	if found := machinePath.FindString(line); found != "" {
		return "names a path of one machine: " + strings.TrimSpace(found) + "…"
	}
	for _, host := range registryHosts {
		if strings.Contains(line, host) {
			return "names the registry host " + host
		}
	}
	return ""
}
