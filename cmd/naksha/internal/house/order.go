package house

import (
	"path"
	"slices"
	"strings"
)

// A layer is the place of a package in its service's import order:
// noun ← verb ← {store, api, event, peer, driver} ← root ← cmd.
type layer string

const (
	noun    layer = "noun"
	verb    layer = "verb"
	store   layer = "store"
	api     layer = "api"
	event   layer = "event"
	peer    layer = "peer"   // calls other services, as api is called by them
	driver  layer = "driver" // internal/kind/postgres: one way to do what a verb asks for
	root    layer = "root"
	command layer = "cmd"
	made    layer = "generated"
)

// reach says which layers of its own service a package may import.
var reach = map[layer][]layer{
	noun:    {noun},
	verb:    {noun, verb},
	store:   {noun, verb, store},
	api:     {noun, verb, api, made},
	event:   {noun, verb, event},
	peer:    {noun, verb, peer},
	driver:  {noun, verb, driver},
	root:    {noun, verb, store, api, event, peer, driver, made},
	command: {root},
	made:    {made},
}

// Nouns are the packages that hold rules only. What is not named here, and is neither store, api nor event, is a verb.
// A new noun is added here by the change that brings it.
var Nouns = map[string][]string{
	"alerting": {"alert", "calendar", "delivery", "incident", "policy", "severity", "silence"},
	"backup":   {"manifest", "request", "restore", "schedule", "snapshot"},
	"gateway":  {"key", "permission", "problem", "route", "spike"},
	"rotation": {"credential", "generation", "kind", "rotation"},
	"tenant":   {"base62", "cell", "credential", "key", "page", "plan", "quota", "request", "slot", "usage", "workspace"},
}

// sqlSpeakers may speak SQL beside the stores, each for its reason.
var sqlSpeakers = map[string]bool{
	"services/backup/internal/cell":            true, // reads customers' data, which is not the service's state
	"services/rotation/internal/kind/postgres": true, // logs in to prove that a password works, or no longer does
}

// values are foreign types that a noun may hold: values, without a process or a wire behind them.
var values = map[string]bool{"github.com/google/uuid": true}

// place returns the service and the layer of a folder; ok is false outside of services.
func place(dir string) (service string, at layer, ok bool) {
	parts := strings.Split(dir, "/")
	if len(parts) < 2 || parts[0] != "services" {
		return "", "", false
	}
	service = parts[1]
	switch {
	case len(parts) == 2:
		return service, root, true
	case parts[2] == "cmd":
		return service, command, true
	case parts[2] != "internal" || len(parts) < 4:
		return service, "", true
	}
	switch name := parts[3]; {
	case name == "store" || name == "api" || name == "event" || name == "peer":
		return service, layer(name), true
	case name == "gen" || name == "openapi":
		return service, made, true
	case len(parts) > 4:
		return service, driver, true
	case slices.Contains(Nouns[service], name):
		return service, noun, true
	}
	return service, verb, true
}

// Order holds the services to their import order, and apart from each other.
func Order(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		service, at, ok := place(p.Dir)
		if !ok {
			continue
		}
		if at == "" {
			bad = append(bad, Violation{Path: p.Dir, Why: "a service has packages in its root, cmd and internal only"})
			continue
		}
		for _, f := range p.Files {
			for imported, spec := range f.Imports() {
				if why := forbidden(service, at, p.Dir, imported, f.Test || forTests(p.Dir)); why != "" {
					bad = append(bad, f.at(spec.Pos(), "%s", why))
				}
			}
		}
	}
	return bad
}

// forTests reports whether the folder is a package for tests: its name ends so, as httptest's does.
func forTests(dir string) bool { return strings.HasSuffix(dir, "test") }

// TestPackages keeps packages for tests out of everything else.
func TestPackages(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		if forTests(p.Dir) {
			continue
		}
		for _, f := range p.Files {
			for imported, spec := range f.Imports() {
				if target := folder(imported); !f.Test && target != "" && forTests(target) {
					bad = append(bad, f.at(spec.Pos(), "imports %s, which is for tests", target))
				}
			}
		}
	}
	return bad
}

// forbidden says why a package of the service and layer may not import the path; empty when it may. Tests may reach
// for more of their own service and for third parties, never for another service.
func forbidden(service string, at layer, dir, imported string, test bool) string {
	target := folder(imported)
	if other, to, inServices := place(target); target != "" && inServices {
		switch {
		case other != service:
			return "service " + service + " imports service " + other + "; services talk by RPC and facts only"
		case !test && !slices.Contains(reach[at], to):
			return string(at) + " imports " + string(to) + " (" + target + "); the order is noun, verb, {store, api, event, peer, driver}, root, cmd"
		}
		return ""
	}
	if test || standard(imported) {
		return ""
	}
	return foreign(at, dir, imported, target)
}

// foreign judges imports from outside of the service: which layer may speak to which part of the world.
func foreign(at layer, dir, imported, target string) string {
	switch {
	case at == noun && target != "pkg/fault" && !values[imported]:
		return "a noun imports std and pkg/fault only, not " + imported
	case at == verb && within(target, "proto"):
		return "a verb works on nouns; protos (" + target + ") belong to api, event, peer and drivers"
	case at == verb && within(target, "pkg/outbox"):
		return "a verb returns facts; only store and event speak to the outbox"
	case speaksSQL(imported) && at != store && at != root && at != command && !sqlSpeakers[dir]:
		return "only store speaks SQL, but " + string(at) + " imports " + imported
	case strings.HasPrefix(imported, "github.com/nats-io/") && at != event && at != root:
		return "only event speaks JetStream, but " + string(at) + " imports " + imported
	}
	return ""
}

func speaksSQL(imported string) bool {
	return strings.HasPrefix(imported, "github.com/jackc/") || imported == "database/sql"
}

// SQLFiles keeps .sql files in the stores, in their query and migration folders, and in pkg, whose packages own tables.
func SQLFiles(names []string) []Violation {
	var bad []Violation
	for _, name := range names {
		if !strings.HasSuffix(name, ".sql") || within(name, "pkg") || strings.Contains(name, "/testdata/") {
			continue
		}
		if _, at, ok := place(path.Dir(name)); (!ok || at != store) && !speaker(name) {
			bad = append(bad, Violation{Path: name, Why: "SQL lives in a service's internal/store"})
		}
	}
	return bad
}

func speaker(name string) bool {
	for dir := range sqlSpeakers {
		if within(name, dir) {
			return true
		}
	}
	return false
}
