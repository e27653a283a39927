package kindtest

import (
	"errors"
	"testing"

	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

func life(t *testing.T, c Case) {
	if c.presence(t).Exists {
		t.Fatal("it is there before it was installed")
	}
	s := c.installed(t)
	if !c.presence(t).Usable() {
		t.Error("installed, but not usable")
	}
	c.done(t, s, call(c.Driver.Verify(t.Context(), c.target(), s)))
	c.awaitSilence(t)
	c.done(t, s, call(c.Driver.Disable(t.Context(), c.target())))
	c.done(t, s, call(c.Driver.ProveDead(t.Context(), c.target(), s)))
	c.done(t, s, call(c.Driver.Destroy(t.Context(), c.target())))
	if c.presence(t).Exists {
		t.Error("destroyed, but there")
	}
}

func repeats(t *testing.T, c Case) {
	s := c.installed(t)
	c.done(t, s, call(c.Driver.Install(t.Context(), c.target(), s)))
	c.done(t, s, call(c.Driver.Verify(t.Context(), c.target(), s)))
	c.awaitSilence(t)
	for range 2 {
		c.done(t, s, call(c.Driver.Disable(t.Context(), c.target())))
	}
	for range 2 {
		c.done(t, s, call(c.Driver.ProveDead(t.Context(), c.target(), s)))
	}
	for range 2 {
		c.done(t, s, call(c.Driver.Destroy(t.Context(), c.target())))
	}
}

func reversible(t *testing.T, c Case) {
	s := c.installed(t)
	c.done(t, s, call(c.Driver.Disable(t.Context(), c.target())))
	if p := c.presence(t); !p.Exists || p.Enabled {
		t.Errorf("after disable: %+v", p)
	}
	c.fails(t, s, call(c.Driver.Verify(t.Context(), c.target(), s)), rotation.Refused, rotation.LoginRefused)
	for range 2 {
		c.done(t, s, call(c.Driver.Enable(t.Context(), c.target())))
	}
	c.done(t, s, call(c.Driver.Verify(t.Context(), c.target(), s)))
}

func sessions(t *testing.T, c Case) {
	end := c.Use(c.installed(t))
	if got := c.presence(t).Sessions; got != 1 {
		t.Errorf("one session is open, %d are seen", got)
	}
	end()
	if got := c.presence(t).Sessions; got != 0 {
		t.Errorf("no session is open, %d are seen", got)
	}
}

func alive(t *testing.T, c Case) {
	s := c.installed(t)
	c.fails(t, s, call(c.Driver.ProveDead(t.Context(), c.target(), s)), rotation.Transient, rotation.OldAlive)
	end := c.Use(s)
	defer end()
	c.done(t, s, call(c.Driver.Disable(t.Context(), c.target())))
	c.fails(t, s, call(c.Driver.ProveDead(t.Context(), c.target(), s)), rotation.Transient, rotation.OldAlive)
}

func verdicts(t *testing.T, c Case) {
	s := c.installed(t)
	other, err := c.Driver.Mint(t.Context(), c.target())
	if err != nil {
		t.Fatal(err)
	}
	c.fails(t, other, call(c.Driver.Verify(t.Context(), c.target(), other)), rotation.Refused, rotation.LoginRefused)
	c.Break()
	_, err = c.Driver.Verify(t.Context(), c.target(), s)
	var f rotation.Failure
	if err == nil || errors.As(err, &f) && f.Verdict != rotation.Transient {
		t.Errorf("a target that is away gives %v", err)
	}
	noSecret(t, s, err.Error())
	c.Mend()
	c.done(t, s, call(c.Driver.Verify(t.Context(), c.target(), s)))
}

func foreign(t *testing.T, c Case) {
	s := c.installed(t)
	c.done(t, s, call(c.Driver.Disable(t.Context(), c.target())))
	c.done(t, s, call(c.Driver.ProveDead(t.Context(), c.target(), generation.Secret{})))
}

func destroys(t *testing.T, c Case) {
	s := c.installed(t)
	end := c.Use(s)
	defer end()
	c.done(t, s, call(c.Driver.Destroy(t.Context(), c.target())))
	if c.presence(t).Exists {
		t.Error("destroyed, but there")
	}
}
