package local

import (
	"slices"
	"strings"
	"testing"
)

func TestTemplatesAreExpandedPerUser(t *testing.T) {
	t.Parallel()
	p, err := ParsePermissions([]byte(`
services: [tenant, backup]
service:
  publish: ["naksha.{svc}.>", "$JS.API.STREAM.CREATE.{own}", "$JS.API.CONSUMER.INFO.{stream}.{svc}"]
  subscribe: ["_INBOX_{svc}.>"]
users:
  subscriber: {subscribe: [naksha.feed.>]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Users(); !slices.Equal(got, []string{"backup", "subscriber", "tenant"}) {
		t.Errorf("users %v", got)
	}
	want := []string{"naksha.tenant.>", "$JS.API.STREAM.CREATE.TENANT", "$JS.API.CONSUMER.INFO.TENANT.tenant", "$JS.API.CONSUMER.INFO.BACKUP.tenant"}
	if got := p.Publish("tenant"); !slices.Equal(got, want) {
		t.Errorf("tenant publishes %v", got)
	}
	if got := p.Subscribe("tenant"); !slices.Equal(got, []string{"_INBOX_tenant.>"}) {
		t.Errorf("tenant subscribes %v", got)
	}
	if rights := p.users["subscriber"].serverPermissions(); !slices.Equal(rights.Publish.Deny, []string{">"}) {
		t.Errorf("an empty list is rendered as %+v, which allows everything", rights.Publish)
	}
}

func TestMalformedPermissionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty":            "",
		"no services":      "users: {a: {}}",
		"unknown field":    "services: [a]\nservice: {publsh: [x]}",
		"unknown template": "services: [a]\nservice: {publish: ['x.{srv}']}",
		"empty token":      "services: [a]\nservice: {publish: ['x..y']}",
		"space":            "services: [a]\nservice: {publish: ['x y']}",
		"user twice":       "services: [a]\nusers: {a: {}}",
		"wildcard user":    "services: ['*']",
		"dotted user":      "services: ['a.b']",
		"not yaml":         "\t:",
	} {
		if p, err := ParsePermissions([]byte(content)); err == nil {
			t.Errorf("%s: read as %v", name, p)
		}
	}
}

func FuzzPermissions(f *testing.F) {
	f.Add([]byte("services: [tenant]\nservice: {publish: ['naksha.{svc}.>'], subscribe: ['_INBOX_{svc}.>']}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := ParsePermissions(content)
		if err != nil {
			return
		}
		for _, user := range p.Users() {
			for _, subject := range append(p.Publish(user), p.Subscribe(user)...) {
				if strings.ContainsAny(subject, "{} \t\n") {
					t.Errorf("user %s may use %q", user, subject)
				}
			}
		}
	})
}
