package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
)

type credentialRow struct {
	Name       string
	Active     int32      `db:"active_generation"`
	ActiveAt   *time.Time `db:"active_at"`
	Last       int32      `db:"last_generation"`
	RetiredAt  *time.Time `db:"retired_at"`
	RotationID string     `db:"rotation_id"`
}

func (r credentialRow) credential() credential.Credential {
	return credential.Credential{
		Name: credential.Name(r.Name), Active: r.Active, ActiveAt: known(r.ActiveAt), Last: r.Last,
		RetiredAt: known(r.RetiredAt), RotationID: r.RotationID,
	}
}

// Credential reads one; a retired one is unknown.
func (s *Store) Credential(ctx context.Context, n credential.Name) (credential.Credential, error) {
	rows, err := s.pool.Query(ctx, query("credential_get"), string(n))
	row, err := pg.One[credentialRow](rows, err)
	switch {
	case pg.NoRows(err) || err == nil && row.RetiredAt != nil:
		return credential.Credential{}, credential.Unknown(n)
	case err != nil:
		return credential.Credential{}, fmt.Errorf("read credential %s: %w", n, err)
	}
	return row.credential(), nil
}

// Credentials lists those of an owner by name, without retired ones.
func (s *Store) Credentials(ctx context.Context, owner string) ([]credential.Credential, error) {
	rows, err := s.pool.Query(ctx, query("credential_list"), owner)
	found, err := pg.All[credentialRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list credentials of %s: %w", owner, err)
	}
	credentials := make([]credential.Credential, 0, len(found))
	for _, row := range found {
		credentials = append(credentials, row.credential())
	}
	return credentials, nil
}

// LockCredential reads one and keeps others from changing it until tx ends.
func (s *Store) LockCredential(ctx context.Context, tx *pg.Tx, n credential.Name) (credential.Credential, error) {
	rows, err := tx.Query(ctx, query("credential_lock"), string(n))
	row, err := pg.One[credentialRow](rows, err)
	switch {
	case pg.NoRows(err):
		return credential.Credential{}, credential.Unknown(n)
	case err != nil:
		return credential.Credential{}, fmt.Errorf("lock credential %s: %w", n, err)
	}
	return row.credential(), nil
}

// AddCredential adds one unless it is known, with its active generation, whose secret is somebody else's.
func (s *Store) AddCredential(ctx context.Context, tx *pg.Tx, c credential.Credential) (bool, error) {
	tag, err := tx.Exec(ctx, query("credential_add"),
		string(c.Name), c.Name.Owner(), c.Active, optional(c.ActiveAt), c.Last, tx.Now)
	if err != nil {
		return false, fmt.Errorf("add credential %s: %w", c.Name, err)
	}
	if tag.RowsAffected() == 0 || c.Active == 0 {
		return tag.RowsAffected() == 1, nil
	}
	_, err = tx.Exec(ctx, query("generation_add"), string(c.Name), c.Active, string(generation.Active), nil, tx.Now)
	if err != nil {
		return false, fmt.Errorf("add generation of %s: %w", c.Name, err)
	}
	return true, nil
}

// RetireCredential marks it as ended, erases its secrets, and tells its rotation.
func (s *Store) RetireCredential(ctx context.Context, tx *pg.Tx, n credential.Name) error {
	if _, err := tx.Exec(ctx, query("credential_retire"), string(n), n.Owner(), tx.Now); err != nil {
		return fmt.Errorf("retire credential %s: %w", n, err)
	}
	if _, err := tx.Exec(ctx, query("rotation_retire"), string(n), tx.Now); err != nil {
		return fmt.Errorf("tell the rotation of %s: %w", n, err)
	}
	if _, err := tx.Exec(ctx, query("generation_erase_all"), string(n), tx.Now); err != nil {
		return fmt.Errorf("erase secrets of %s: %w", n, err)
	}
	return nil
}

// Redeemable finds the newest generation that a holder may have.
func (s *Store) Redeemable(ctx context.Context, n credential.Name) (custody.Redeemable, bool, error) {
	if _, err := s.Credential(ctx, n); err != nil {
		return custody.Redeemable{}, false, err
	}
	var g custody.Redeemable
	var sealed []byte
	err := s.pool.QueryRow(ctx, query("generation_redeemable"), string(n)).Scan(&g.Generation, &g.RotationID, &sealed)
	switch {
	case pg.NoRows(err):
		return g, false, nil
	case err != nil:
		return g, false, fmt.Errorf("find a generation of %s: %w", n, err)
	}
	g.Secret, err = s.open(n, g.Generation, sealed)
	return g, true, err
}

// NoteRedemption records who was handed a generation.
func (s *Store) NoteRedemption(ctx context.Context, r custody.Redemption) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make redemption id: %w", err)
	}
	_, err = s.pool.Exec(ctx, query("redemption_add"),
		id, string(r.Credential), r.Generation, r.Principal, r.Kind, r.RequestID, s.pool.Now())
	if err != nil {
		return fmt.Errorf("record redemption of %s: %w", r.Credential, err)
	}
	return nil
}
