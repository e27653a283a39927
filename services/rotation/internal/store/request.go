package store

import (
	"bytes"
	"context"
	"fmt"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
)

// Recall finds the rotation that an earlier, equal request was answered with.
func (s *Store) Recall(ctx context.Context, tx *pg.Tx, q custody.Request) (rotationID string, err error) {
	var hash []byte
	err = tx.QueryRow(ctx, query("request_get"), q.Scope, q.ID).Scan(&hash, &rotationID)
	switch {
	case pg.NoRows(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look for request %s: %w", q.ID, err)
	case !bytes.Equal(hash, q.Hash):
		return "", custody.ReusedID(q.ID)
	}
	return rotationID, nil
}

// Remember notes what a request was answered with. Equal requests wait for each other at the credential's lock, so an id
// that was taken meanwhile had another body.
func (s *Store) Remember(ctx context.Context, tx *pg.Tx, q custody.Request, rotationID string) error {
	tag, err := tx.Exec(ctx, query("request_add"), q.Scope, q.ID, q.Hash, rotationID, tx.Now)
	if err != nil {
		return fmt.Errorf("remember request %s: %w", q.ID, err)
	}
	if tag.RowsAffected() == 0 {
		return custody.ReusedID(q.ID)
	}
	return nil
}
