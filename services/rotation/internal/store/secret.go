package store

import (
	"context"
	"fmt"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
)

// sealName binds a sealed secret to its generation.
func sealName(n credential.Name, number int32) string {
	return fmt.Sprintf("%s/generations/%d", n, number)
}

// Secret opens the secret of a generation; zero for one that was minted elsewhere or is erased.
func (s *Store) Secret(ctx context.Context, n credential.Name, number int32) (generation.Secret, error) {
	var sealed []byte
	err := s.pool.QueryRow(ctx, query("generation_secret"), string(n), number).Scan(&sealed)
	switch {
	case pg.NoRows(err):
		return generation.Secret{}, nil
	case err != nil:
		return generation.Secret{}, fmt.Errorf("read secret of generation %d of %s: %w", number, n, err)
	}
	return s.open(n, number, sealed)
}

func (s *Store) open(n credential.Name, number int32, sealed []byte) (generation.Secret, error) {
	if sealed == nil {
		return generation.Secret{}, nil
	}
	value, err := s.box.Open(sealName(n, number), sealed)
	if err != nil {
		return generation.Secret{}, err
	}
	return generation.DecodeSecret(value)
}

// addGeneration writes a minted generation, its secret sealed.
func (s *Store) addGeneration(ctx context.Context, tx *pg.Tx, n credential.Name, number int32, secret generation.Secret) error {
	sealed := s.box.Seal(sealName(n, number), secret.Encode())
	_, err := tx.Exec(ctx, query("generation_add"), string(n), number, string(generation.Minted), sealed, tx.Now)
	if err != nil {
		return fmt.Errorf("add generation %d of %s: %w", number, n, err)
	}
	return nil
}

func (s *Store) changeGenerations(ctx context.Context, tx *pg.Tx, n credential.Name, changes []generation.Change) error {
	for _, c := range changes {
		_, err := tx.Exec(ctx, query("generation_change"), string(n), c.Generation, string(c.State), c.Erase, tx.Now)
		if err != nil {
			return fmt.Errorf("change generation %d of %s: %w", c.Generation, n, err)
		}
	}
	return nil
}
