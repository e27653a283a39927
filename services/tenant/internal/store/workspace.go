package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/page"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Workspace reads one workspace, also a deleted one.
func (s *Store) Workspace(ctx context.Context, ref string) (workspace.Workspace, error) {
	rows, err := s.pool.Query(ctx, s.query("get_workspace"), ref)
	return oneWorkspace(ref)(pg.One[workspace.Workspace](rows, err))
}

// WorkspaceIn reads one workspace in tx, also a deleted one.
func (s *Store) WorkspaceIn(ctx context.Context, tx *pg.Tx, ref string) (workspace.Workspace, error) {
	rows, err := tx.Query(ctx, s.query("get_workspace"), ref)
	return oneWorkspace(ref)(pg.One[workspace.Workspace](rows, err))
}

func oneWorkspace(ref string) func(workspace.Workspace, error) (workspace.Workspace, error) {
	return func(w workspace.Workspace, err error) (workspace.Workspace, error) {
		switch {
		case pg.NoRows(err):
			return w, workspace.NotFound(ref)
		case err != nil:
			return w, fmt.Errorf("read workspace %s: %w", ref, err)
		}
		return w, nil
	}
}

// Workspaces reads at most limit workspaces behind a cursor, newest first.
func (s *Store) Workspaces(ctx context.Context, f workspace.Filter, after page.Cursor, limit int) ([]workspace.Workspace, error) {
	rows, err := s.pool.Query(ctx, s.query("list_workspaces"),
		string(f.State), f.DisplayName, f.Plan, f.Cell, after.Time, after.ID, limit)
	found, err := pg.All[workspace.Workspace](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	return found, nil
}

// Delete makes a workspace a tombstone and revokes its keys, in one transaction with the facts. A repeat, or a second
// order, returns the tombstone.
func (s *Store) Delete(ctx context.Context, ref string, r request.Request) (w workspace.Workspace, err error) {
	seen, err := s.once(ctx, r, func(ctx context.Context, tx *pg.Tx) error {
		rows, err := tx.Query(ctx, s.query("delete_workspace"), ref, tx.Now)
		w, err = pg.One[workspace.Workspace](rows, err)
		if pg.NoRows(err) {
			rows, err = tx.Query(ctx, s.query("get_workspace"), ref)
			w, err = oneWorkspace(ref)(pg.One[workspace.Workspace](rows, err))
			return err
		}
		if err != nil {
			return fmt.Errorf("delete workspace %s: %w", ref, err)
		}
		return s.bury(ctx, tx, ref, r)
	})
	if err == nil && seen != nil {
		return s.Workspace(ctx, ref)
	}
	return w, err
}

// bury revokes the keys of a deleted workspace and tells both.
func (s *Store) bury(ctx context.Context, tx *pg.Tx, ref string, r request.Request) error {
	rows, err := tx.Query(ctx, s.query("revoke_keys"), ref, tx.Now)
	keys, err := pg.All[key.Key](rows, err)
	if err != nil {
		return fmt.Errorf("revoke keys of %s: %w", ref, err)
	}
	facts := make([]any, 0, len(keys)+1)
	for _, k := range keys {
		facts = append(facts, key.Revoked{Key: k, At: tx.Now})
	}
	facts = append(facts, workspace.Removed{Ref: ref, At: tx.Now})
	if err := s.emit(ctx, tx, facts...); err != nil {
		return err
	}
	notes := s.pipeline()
	notes.note(r, workspace.Name(ref), nil, tx.Now)
	return notes.run(ctx, tx)
}

// hold reads a workspace that must be active and stays so until the transaction ends.
func (s *Store) hold(ctx context.Context, tx *pg.Tx, ref string) (workspace.Workspace, error) {
	rows, err := tx.Query(ctx, s.query("hold_workspace"), ref)
	w, err := oneWorkspace(ref)(pg.One[workspace.Workspace](rows, err))
	if err == nil && w.State != workspace.Active {
		return w, workspace.Gone(ref)
	}
	return w, err
}

// Unrevoked lists refs of deleted workspaces whose logins or S3 keys may still live, those behind after.
func (s *Store) Unrevoked(ctx context.Context, after string, limit int) ([]string, error) {
	return s.refs(ctx, "list_unrevoked", after, limit)
}

// NoteRevoked records that everything of a deleted workspace was found dead.
func (s *Store) NoteRevoked(ctx context.Context, ref string) error {
	return s.exec(ctx, "note_revoked", ref, s.pool.Now())
}

// ReopenRevocation makes a deleted workspace unrevoked again: something of it was found alive.
func (s *Store) ReopenRevocation(ctx context.Context, ref string) error {
	return s.exec(ctx, "reopen_revocation", ref)
}

// Unapplied lists workspaces, with their plan, whose limits the cell does not enforce yet.
func (s *Store) Unapplied(ctx context.Context, limit int) (plans map[string]string, err error) {
	rows, err := s.pool.Query(ctx, s.query("list_unapplied"), limit)
	found, err := pg.All[struct{ Ref, Plan string }](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list unapplied plans: %w", err)
	}
	plans = map[string]string{}
	for _, f := range found {
		plans[f.Ref] = f.Plan
	}
	return plans, nil
}

// NoteApplied records that the cell enforces a plan.
func (s *Store) NoteApplied(ctx context.Context, ref, plan string) error {
	return s.exec(ctx, "note_applied", ref, plan)
}

// PromoteLogin records, in a reaction's transaction, the generation that the customer holds from now on.
func (s *Store) PromoteLogin(ctx context.Context, tx *pg.Tx, ref string, generation int32) error {
	if _, err := tx.Exec(ctx, s.query("promote_login"), ref, generation); err != nil {
		return fmt.Errorf("note login generation of %s: %w", ref, err)
	}
	return nil
}

func (s *Store) exec(ctx context.Context, name string, args ...any) error {
	if _, err := s.pool.Exec(ctx, s.query(name), args...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s *Store) refs(ctx context.Context, name string, args ...any) ([]string, error) {
	rows, err := s.pool.Query(ctx, s.query(name), args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return found, nil
}
