// Package kindtest is what every driver must pass: each act is create-or-adopt, what is told of it holds no secret, and a
// refusal is told apart from a target that is away.
package kindtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Case is a driver with a fresh target.
type Case struct {
	Driver     rotate.Driver
	Credential credential.Name
	First      int32                            // a generation that is not there yet
	Use        func(s generation.Secret) func() // opens a session as First; the returned func ends it and waits until it is seen gone
	Break      func()                           // makes the target unreachable
	Mend       func()                           // makes it reachable again
}

// Run runs the suite; make is called for each test.
func Run(t *testing.T, make func(t *testing.T) Case) {
	for name, test := range map[string]func(t *testing.T, c Case){
		"carries a generation from mint to death": life,
		"repeats change nothing":                  repeats,
		"disable is reversible":                   reversible,
		"sees open sessions":                      sessions,
		"refuses to call a living login dead":     alive,
		"tells refused from away":                 verdicts,
		"proves death without the password":       foreign,
		"destroys what has sessions":              destroys,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

func (c Case) target() rotate.Target {
	return rotate.Target{Credential: c.Credential, Generation: c.First}
}

func (c Case) installed(t *testing.T) generation.Secret {
	t.Helper()
	s, err := c.Driver.Mint(t.Context(), c.target())
	if err != nil {
		t.Fatal(err)
	}
	c.done(t, s, call(c.Driver.Install(t.Context(), c.target(), s)))
	return s
}

type result struct {
	evidence string
	err      error
}

func call(evidence string, err error) result { return result{evidence, err} }

// done wants success, and evidence without a secret.
func (c Case) done(t *testing.T, s generation.Secret, r result) {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if r.evidence == "" {
		t.Error("no evidence")
	}
	noSecret(t, s, r.evidence)
}

func noSecret(t *testing.T, s generation.Secret, text string) {
	t.Helper()
	if strings.Contains(text, s.Password.Reveal()) || strings.Contains(text, s.Verifier.Reveal()) {
		t.Error("a text holds the secret")
	}
}

// fails wants a Failure of a verdict, without a secret in it.
func (c Case) fails(t *testing.T, s generation.Secret, r result, verdict rotation.Verdict, reason rotation.Reason) {
	t.Helper()
	var f rotation.Failure
	if !errors.As(r.err, &f) || f.Verdict != verdict || f.Reason != reason {
		t.Fatalf("got %v (%q), want %s", r.err, r.evidence, reason)
	}
	noSecret(t, s, r.err.Error())
}

func (c Case) presence(t *testing.T) rotation.Presence {
	t.Helper()
	found, err := c.Driver.Observe(t.Context(), c.Credential)
	if err != nil {
		t.Fatal(err)
	}
	return found[c.First]
}

// awaitSilence waits until the target sees no session any more: one that was closed is seen a little longer.
func (c Case) awaitSilence(t *testing.T) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(localtest.Patience); c.presence(t).Sessions > 0; <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatal("a session that was closed is still seen")
		}
	}
}
