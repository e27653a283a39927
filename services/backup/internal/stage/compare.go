package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/cell"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// compare reads the staged schema with another login than the one that loaded it, and compares all of it, each table when
// it is ready.
func (a *attempt) compare(ctx context.Context, ready <-chan string, positioned <-chan struct{}) ([]snapshot.Table, error) {
	target, err := a.Readers.Reader(ctx, snapshot.Workspace(a.job.Ref))
	if err != nil {
		return nil, err
	}
	comparer, err := target.Comparer(ctx, a.staged.Schema, a.Sessions)
	if err != nil {
		return nil, err
	}
	defer comparer.Close(ctx)
	same, err := a.compareRows(ctx, comparer, ready)
	if err != nil {
		return nil, err
	}
	select {
	case <-positioned:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	tables, sequences, err := target.Structure(ctx, a.staged.Schema)
	if err != nil {
		return nil, err
	}
	return same, sameStructure(a.source.Manifest, tables, sequences)
}

// compareRows returns the tables that were read and found equal: all that have rows in the manifest.
func (a *attempt) compareRows(ctx context.Context, comparer *cell.Comparer, ready <-chan string) ([]snapshot.Table, error) {
	tables := a.source.Manifest.Tables
	same, at := make([]snapshot.Table, len(tables)), map[string]int{}
	for i, t := range tables {
		at[t.Name] = i
	}
	work, inner := errgroup.WithContext(ctx)
	for name := range ready {
		work.Go(func() error {
			table := tables[at[name]]
			err := comparer.Compare(inner, table)
			if errors.Is(err, cell.ErrDiffers) {
				err = differs(fmt.Errorf("table %q: %w", name, err))
			}
			same[at[name]] = snapshot.Table{Name: name, Rows: table.Rows, Checksum: table.Checksum}
			return err
		})
	}
	return same, work.Wait()
}

func sameStructure(m *manifest.Manifest, tables []string, sequences []manifest.Sequence) error {
	wantTables, wantSequences := wholeSchema(m)
	slices.Sort(wantTables)
	slices.Sort(tables)
	if !slices.Equal(tables, wantTables) {
		return differs(fmt.Errorf("tables are %q, the snapshot has %q", tables, wantTables))
	}
	if len(sequences) != len(wantSequences) {
		return differs(fmt.Errorf("%d sequences, the snapshot has %d", len(sequences), len(wantSequences)))
	}
	for _, s := range sequences {
		if wantSequences[s.Name] != s {
			return differs(fmt.Errorf("sequence %q is at %d", s.Name, s.LastValue))
		}
	}
	return nil
}

func differs(cause error) error {
	return fault.New(codes.DataLoss, "RESTORE_DIFFERS", "What was loaded is not equal to the snapshot; the live data is untouched.").
		WithRemedy("Tell the operators; another snapshot may be restored meanwhile.").WithCause(cause)
}
