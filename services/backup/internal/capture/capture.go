// Package capture reads one workspace at one moment: rows, structure, sequences, objects. What it reads goes through a
// Packer to wherever the caller ships packs; it keeps nothing itself.
package capture

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
)

// Moment is a workspace's schema at one instant; its methods may be called side by side.
type Moment interface {
	// Copy writes the rows of a table in their COPY form.
	Copy(ctx context.Context, t manifest.Table, w io.Writer) (rows int64, err error)
	// Sum computes the row count and the checksum on the server.
	Sum(ctx context.Context, t manifest.Table) (rows int64, checksum string, err error)
	// PreData is the DDL that comes before the rows.
	PreData(ctx context.Context) ([]byte, error)
	// PostData is the DDL that comes after them.
	PostData(ctx context.Context) ([]byte, error)
	// Alive says why the instant does not hold any more.
	Alive(ctx context.Context) error
}

// Source is what is read.
type Source struct {
	Moment    Moment
	Version   string
	Tables    []manifest.Table // largest first
	Sequences []manifest.Sequence
	Workers   int // concurrent readers of the Moment
	Bytes     int64
	Progress  func(done, total int64) // told now and then, from any goroutine
}

// Database reads everything of the schema into p, and fills m with what it read.
func Database(ctx context.Context, s Source, p *pack.Packer, m *manifest.Manifest) error {
	m.ServerVersion, m.Sequences = s.Version, s.Sequences
	m.Tables = append([]manifest.Table(nil), s.Tables...)
	work, inner := errgroup.WithContext(ctx)
	work.Go(func() (err error) { m.PreData, err = structure(inner, p, s.Moment.PreData); return err })
	work.Go(func() (err error) { m.PostData, err = structure(inner, p, s.Moment.PostData); return err })
	work.Go(func() error { return rows(inner, s, p, m.Tables) })
	if err := work.Wait(); err != nil {
		return err
	}
	return s.Moment.Alive(ctx)
}

func structure(ctx context.Context, p *pack.Packer, read func(context.Context) ([]byte, error)) (manifest.Stream, error) {
	script, err := read(ctx)
	if err != nil {
		return manifest.Stream{}, err
	}
	out := p.Stream(ctx)
	if _, err := out.Write(script); err != nil {
		return manifest.Stream{}, err
	}
	return out.Close()
}

// rows copies and sums all tables. The two are separate pieces of work, so that one big table keeps two readers busy.
func rows(ctx context.Context, s Source, p *pack.Packer, tables []manifest.Table) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(s.Workers)
	counted := make([]int64, len(tables))
	var done atomic.Int64
	for i := range tables {
		read := tables[i] // its two readers share no memory: one fills the stream, the other the sums
		work.Go(func() (err error) {
			counted[i], tables[i].Stream, err = copyRows(ctx, s, p, read, &done)
			return err
		})
		work.Go(func() (err error) {
			tables[i].Rows, tables[i].Checksum, err = s.Moment.Sum(ctx, read)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for i, t := range tables {
		if counted[i] != t.Rows {
			return fault.New(dataLoss, "ROWS_DIFFER", "A table gave %d rows and counts %d at the same moment.", counted[i], t.Rows).
				WithRemedy("Check the cell for corruption (pg_amcheck), then take another snapshot.").
				WithCause(fmt.Errorf("table %q", t.Name))
		}
	}
	return nil
}

func copyRows(ctx context.Context, s Source, p *pack.Packer, t manifest.Table, done *atomic.Int64) (int64, manifest.Stream, error) {
	out := p.Stream(ctx)
	out.OnWrite(func(n int) { s.Progress(done.Add(int64(n)), s.Bytes) })
	count, err := s.Moment.Copy(ctx, t, out)
	if err != nil {
		return 0, manifest.Stream{}, err
	}
	stream, err := out.Close()
	return count, stream, err
}

// Throttle makes a progress function that calls f at most once in every interval.
func Throttle(interval time.Duration, now func() time.Time, f func(done, total int64)) func(done, total int64) {
	var next atomic.Int64
	return func(done, total int64) {
		due, t := next.Load(), now().UnixNano()
		if t >= due && next.CompareAndSwap(due, t+int64(interval)) {
			f(done, total)
		}
	}
}
