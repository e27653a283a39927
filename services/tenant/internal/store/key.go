package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/page"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/issue"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
)

// AddKey stores a new key of an active workspace, or returns what is known of an order that was carried out before.
func (s *Store) AddKey(ctx context.Context, ref string, r request.Request, make issue.Make) (*request.Seen, error) {
	return s.once(ctx, r, func(ctx context.Context, tx *pg.Tx) error {
		if _, err := s.hold(ctx, tx, ref); err != nil {
			return err
		}
		var live int
		if err := tx.QueryRow(ctx, s.query("count_keys"), ref).Scan(&live); err != nil {
			return fmt.Errorf("count keys of %s: %w", ref, err)
		}
		if live >= key.Limit {
			return key.TooMany()
		}
		k, reply, err := make(tx.Now)
		if err != nil {
			return err
		}
		rows := s.pipeline()
		rows.insertKey(k)
		rows.note(r, k.Name(), reply, tx.Now)
		if err := rows.run(ctx, tx); err != nil {
			return fmt.Errorf("store key %s: %w", k.Kid, err)
		}
		return nil
	})
}

// Key reads a workspace's key.
func (s *Store) Key(ctx context.Context, ref, kid string) (key.Key, error) {
	rows, err := s.pool.Query(ctx, s.query("get_key"), kid, ref)
	return oneKey(kid)(pg.One[key.Key](rows, err))
}

// KeyIn reads a workspace's key, or with no ref an operator's, in tx.
func (s *Store) KeyIn(ctx context.Context, tx *pg.Tx, ref, kid string) (key.Key, error) {
	rows, err := tx.Query(ctx, s.query("get_key"), kid, ref)
	return oneKey(kid)(pg.One[key.Key](rows, err))
}

func oneKey(kid string) func(key.Key, error) (key.Key, error) {
	return func(k key.Key, err error) (key.Key, error) {
		switch {
		case pg.NoRows(err):
			return k, key.NotFound(kid)
		case err != nil:
			return k, fmt.Errorf("read key %s: %w", kid, err)
		}
		return k, nil
	}
}

// Keys reads at most limit keys of a workspace behind a cursor, newest first.
func (s *Store) Keys(ctx context.Context, ref string, after page.Cursor, limit int) ([]key.Key, error) {
	rows, err := s.pool.Query(ctx, s.query("list_keys"), ref, after.Time, after.ID, limit)
	found, err := pg.All[key.Key](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list keys of %s: %w", ref, err)
	}
	return found, nil
}

// RevokeKey revokes a workspace's key and tells it; a key that was revoked before is returned as it is.
func (s *Store) RevokeKey(ctx context.Context, ref, kid string) (k key.Key, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		rows, err := tx.Query(ctx, s.query("revoke_key"), kid, ref, tx.Now)
		k, err = pg.One[key.Key](rows, err)
		if pg.NoRows(err) {
			k, err = s.KeyIn(ctx, tx, ref, kid)
			return err
		}
		if err != nil {
			return fmt.Errorf("revoke key %s: %w", kid, err)
		}
		return s.emit(ctx, tx, key.Revoked{Key: k, At: tx.Now})
	})
	return k, err
}

// FindKey reads a key with the hash of its text; false when there is none.
func (s *Store) FindKey(ctx context.Context, kid string) (k key.Stored, found bool, err error) {
	rows, err := s.pool.Query(ctx, s.query("find_key"), kid)
	k, err = pg.One[key.Stored](rows, err)
	switch {
	case pg.NoRows(err):
		return key.Stored{}, false, nil
	case err != nil:
		return key.Stored{}, false, fmt.Errorf("find key: %w", err)
	}
	return k, true, nil
}

// RenewAdminKey revokes the operators' keys of before since and tells it, and stores the key that make returns where none
// is left, one replica at a time. publish comes after the commit, also where nothing was made.
func (s *Store) RenewAdminKey(ctx context.Context, since time.Time, make issue.Make, publish func(context.Context) error) error {
	return s.pool.WithLock(ctx, adminKeyLock, func(ctx context.Context) error {
		err := s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
			if since.After(tx.Now) { // it would revoke what is made now, at the next start
				return fmt.Errorf("admin_keys_since lies ahead (%s): give a time that has passed", since)
			}
			if err := s.revokeAdminKeys(ctx, tx, since); err != nil {
				return err
			}
			return s.addAdminKey(ctx, tx, make)
		})
		if err != nil {
			return err
		}
		return publish(ctx)
	})
}

func (s *Store) revokeAdminKeys(ctx context.Context, tx *pg.Tx, since time.Time) error {
	rows, err := tx.Query(ctx, s.query("revoke_admin_keys"), since, tx.Now)
	keys, err := pg.All[key.Key](rows, err)
	if err != nil {
		return fmt.Errorf("revoke operators' keys: %w", err)
	}
	for _, k := range keys {
		if err := s.emit(ctx, tx, key.Revoked{Key: k, At: tx.Now}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addAdminKey(ctx context.Context, tx *pg.Tx, make issue.Make) error {
	var exists bool
	if err := tx.QueryRow(ctx, s.query("has_admin_key")).Scan(&exists); err != nil || exists {
		return err
	}
	k, _, err := make(tx.Now)
	if err != nil {
		return err
	}
	rows := s.pipeline()
	rows.insertKey(k)
	return rows.run(ctx, tx)
}

// adminKeyLock is the advisory lock "nk-admin" of whoever makes an operator's key.
const adminKeyLock = 0x6e6b2d61646d696e
