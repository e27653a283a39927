// Package capture reads one workspace at one moment: rows, structure, sequences, objects. What it reads goes through a
// Packer to wherever the caller ships packs; it keeps nothing itself.
package capture

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/pack"
)

// Moment is a workspace's schema at one instant; its methods may be called side by side.
type Moment interface {
	// Copy writes the rows of a table in COPY text form, and returns how many there are and their checksum.
	Copy(ctx context.Context, t manifest.Table, w io.Writer) (rows int64, checksum string, err error)
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

// rows copies all tables, several at a time.
func rows(ctx context.Context, s Source, p *pack.Packer, tables []manifest.Table) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(s.Workers)
	var done atomic.Int64
	for i := range tables {
		work.Go(func() (err error) {
			t := &tables[i]
			out := p.Stream(ctx)
			out.OnWrite(func(n int) { s.Progress(done.Add(int64(n)), s.Bytes) })
			if t.Rows, t.Checksum, err = s.Moment.Copy(ctx, *t, out); err != nil {
				return err
			}
			t.Stream, err = out.Close()
			return err
		})
	}
	return work.Wait()
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
