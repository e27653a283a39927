package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

type rotationRow struct {
	ID             string
	Credential     string
	Old            int32      `db:"old_generation"`
	New            int32      `db:"new_generation"`
	QuietWindow    int64      `db:"quiet_window_us"`
	DeadlineAt     time.Time  `db:"deadline_at"`
	CreatedAt      time.Time  `db:"created_at"`
	State          string     `db:"state"`
	Resume         string     `db:"resume_state"`
	BlockedReason  string     `db:"blocked_reason"`
	BlockedMessage string     `db:"blocked_message"`
	AbortReason    string     `db:"abort_reason"`
	AbortMessage   string     `db:"abort_message"`
	PromotedAt     *time.Time `db:"promoted_at"`
	OldSeenAt      *time.Time `db:"old_seen_at"`
	Refusals       int        `db:"refusals"`
	Failures       int        `db:"failures"`
	RetryAt        *time.Time `db:"retry_at"`
	DueAt          time.Time  `db:"due_at"`
	EndedAt        *time.Time `db:"ended_at"`
	AcknowledgedAt *time.Time `db:"acknowledged_at"`
	Retired        bool       `db:"retired"`
	Inputs         int        `db:"inputs"`
	Epoch          int64      `db:"epoch"`
}

func (r rotationRow) rotation() rotation.Rotation {
	return rotation.Rotation{
		ID: r.ID, Credential: credential.Name(r.Credential), Old: r.Old, New: r.New,
		QuietWindow: time.Duration(r.QuietWindow) * time.Microsecond, Deadline: r.DeadlineAt.UTC(), CreatedAt: r.CreatedAt.UTC(),
		State: rotation.State(r.State), Resume: rotation.State(r.Resume),
		Blocked:     rotation.Problem{Reason: rotation.Reason(r.BlockedReason), Message: r.BlockedMessage},
		AbortReason: rotation.Problem{Reason: rotation.Reason(r.AbortReason), Message: r.AbortMessage},
		PromotedAt:  known(r.PromotedAt), OldSeenAt: known(r.OldSeenAt), Refusals: r.Refusals, Failures: r.Failures,
		RetryAt: known(r.RetryAt), DueAt: r.DueAt.UTC(), EndedAt: known(r.EndedAt),
		Inputs: rotation.Inputs{AcknowledgedAt: known(r.AcknowledgedAt), Retired: r.Retired, Count: r.Inputs},
	}
}

// AddRotation adds a rotation, and gives its new generation's number away for good.
func (s *Store) AddRotation(ctx context.Context, tx *pg.Tx, r rotation.Rotation) error {
	_, err := tx.Exec(ctx, query("rotation_add"), r.ID, string(r.Credential), r.Old, r.New,
		r.QuietWindow.Microseconds(), r.Deadline, r.CreatedAt, string(r.State))
	if pg.Constraint(err) == "rotation_one_active" {
		return rotation.Active(r.Credential)
	}
	if err != nil {
		return fmt.Errorf("add rotation of %s: %w", r.Credential, err)
	}
	if _, err := tx.Exec(ctx, query("credential_number"), string(r.Credential), r.New); err != nil {
		return fmt.Errorf("take number %d of %s: %w", r.New, r.Credential, err)
	}
	return nil
}

// Rotation reads one with its journal.
func (s *Store) Rotation(ctx context.Context, id string) (rotation.Rotation, []rotation.Entry, error) {
	rows, err := s.pool.Query(ctx, query("rotation_get"), id)
	row, err := pg.One[rotationRow](rows, err)
	if pg.NoRows(err) {
		return rotation.Rotation{}, nil, rotation.Unknown(id)
	}
	if err != nil {
		return rotation.Rotation{}, nil, fmt.Errorf("read rotation %s: %w", id, err)
	}
	entries, err := s.entries(ctx, []string{id})
	return row.rotation(), entries[id], err
}

// Rotations lists a credential's rotations, newest first, with their journals by id.
func (s *Store) Rotations(ctx context.Context, n credential.Name, after rotation.Position, limit int) (
	[]rotation.Rotation, map[string][]rotation.Entry, error,
) {
	var id *string
	if after.ID != "" {
		id = &after.ID
	}
	rows, err := s.pool.Query(ctx, query("rotation_list"), string(n), optional(after.CreatedAt), id, limit)
	found, err := pg.All[rotationRow](rows, err)
	if err != nil {
		return nil, nil, fmt.Errorf("list rotations of %s: %w", n, err)
	}
	var rotations []rotation.Rotation
	var ids []string
	for _, row := range found {
		rotations, ids = append(rotations, row.rotation()), append(ids, row.ID)
	}
	entries, err := s.entries(ctx, ids)
	return rotations, entries, err
}

// RotationByGeneration reads and locks the rotation that made a generation.
func (s *Store) RotationByGeneration(ctx context.Context, tx *pg.Tx, n credential.Name, number int32) (rotation.Rotation, bool, error) {
	rows, err := tx.Query(ctx, query("rotation_by_generation"), string(n), number)
	row, err := pg.One[rotationRow](rows, err)
	if pg.NoRows(err) {
		return rotation.Rotation{}, false, nil
	}
	if err != nil {
		return rotation.Rotation{}, false, fmt.Errorf("read rotation to generation %d of %s: %w", number, n, err)
	}
	return row.rotation(), true, nil
}

// Acknowledge notes the holder's word, once.
func (s *Store) Acknowledge(ctx context.Context, tx *pg.Tx, r rotation.Rotation) error {
	if _, err := tx.Exec(ctx, query("rotation_acknowledge"), r.ID, tx.Now); err != nil {
		return fmt.Errorf("acknowledge rotation %s: %w", r.ID, err)
	}
	return nil
}
