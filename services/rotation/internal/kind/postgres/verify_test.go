package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

func TestHolderAtItsConnectionLimitCountsAsAlive(t *testing.T) {
	t.Parallel()
	cell := celltest.New(t)
	n := credential.ForWorkspace(cell.AddWorkspace(t).Name)
	c := conforming(t, cell, n, 2)
	s := install(t, c)
	cell.Run(t, "ALTER ROLE "+cell.Role(n.Owner(), 2)+" CONNECTION LIMIT 1")
	defer c.Use(s)()
	evidence, err := c.Driver.Verify(t.Context(), rotate.Target{Credential: n, Generation: 2}, s)
	if err != nil || !strings.Contains(evidence, "1 sessions, as many as it may have") {
		t.Errorf("evidence %q, %v", evidence, err)
	}
}

func TestLoginThatActsAsItselfIsRefused(t *testing.T) {
	t.Parallel()
	cell := celltest.New(t)
	n := credential.ForWorkspace(cell.AddWorkspace(t).Name)
	c := conforming(t, cell, n, 2)
	s := install(t, c)
	cell.Run(t, "ALTER ROLE "+cell.Role(n.Owner(), 2)+" RESET role")
	_, err := c.Driver.Verify(t.Context(), rotate.Target{Credential: n, Generation: 2}, s)
	var f rotation.Failure
	if !errors.As(err, &f) || f.Verdict != rotation.Refused {
		t.Errorf("verified: %v", err)
	}
}

func TestVanishedGenerationCannotBeLocated(t *testing.T) {
	t.Parallel()
	cell := celltest.New(t)
	n := credential.ForWorkspace(cell.AddWorkspace(t).Name)
	_, _, err := postgres.New(cell.Client(t), postgres.Dial).Locate(t.Context(), n, 2, generation.Secret{})
	if fault.ReasonOf(err) != "GENERATION_MISSING" {
		t.Errorf("located: %v", err)
	}
}
