package chaostest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// Damage spoils one file.
type Damage struct {
	Name  string
	Spoil func(path string) error
}

// Damages are what disks do to files.
func Damages() []Damage {
	return []Damage{
		{"one bit flipped", flip},
		{"cut in half", func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()/2)
		}},
		{"deleted", os.Remove},
	}
}

// flip turns one bit in the middle of a file.
func flip(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, info.Size()/2); err != nil {
		return err
	}
	one[0] ^= 1
	_, err = f.WriteAt(one, info.Size()/2)
	return err
}

// SpoilStream damages the newest file of messages of a service's stream. The platform must not run.
func (p *Platform) SpoilStream(service string, d Damage) error {
	newest := ""
	streams := filepath.Join(p.Dir, "nats", "jetstream")
	err := filepath.WalkDir(streams, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".blk") && strings.Contains(path, "/"+strings.ToUpper(service)+"/msgs/") && path > newest {
			newest = path
		}
		return err
	})
	if err == nil && newest == "" {
		err = fmt.Errorf("stream of %s has no messages below %s", service, streams)
	}
	if err != nil {
		return err
	}
	return d.Spoil(newest)
}

// Messages counts the messages of a service's stream as a broker finds them that starts on a copy of the files. The
// platform must not run.
func (p *Platform) Messages(t testing.TB, service string) uint64 {
	t.Helper()
	folder := filepath.Join(localtest.TempDir(t), "nats")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(p.Dir, "nats"))); err != nil {
		t.Fatal(err)
	}
	broker, err := local.StartNATS(t.Context(), local.NATSConfig{
		Dir: folder, Port: -1, Permissions: localtest.Permissions(t), Passwords: map[string]string{"operator": "operator"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = broker.Stop(context.Background()) }()
	conn, err := nats.Connect("", nats.InProcessServer(broker.Server()), nats.UserInfo("operator", "operator"), nats.CustomInboxPrefix("_INBOX_operator"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), strings.ToUpper(service))
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

// Withhold keeps a service from taking facts in, until release or the end of its database.
func (p *Platform) Withhold(ctx context.Context, service string) (release func(), err error) {
	url, err := p.DatabaseURL()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	release = func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}
	_, err = conn.Exec(ctx, "BEGIN; LOCK TABLE "+pgx.Identifier{service, "inbox_head"}.Sanitize()+" IN ACCESS EXCLUSIVE MODE")
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// AwaitPublished waits until a service has published everything.
func (p *Platform) AwaitPublished(ctx context.Context, service string) error {
	ctx, cancel := bounded(ctx, healing, "publishing of "+service+"'s facts")
	defer cancel()
	return until(ctx, func() error {
		return p.inDatabase(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			return none(ctx, conn, "facts that are not published", fmt.Sprintf(debts["facts that are not published"], service))
		})
	})
}

// Order places orders of a kind, one after the other, each until it is acknowledged.
func (h *History) Order(ctx context.Context, kind Kind, n int) error {
	for range n {
		one := h.open(kind.Name())
		if err := h.insist(ctx, kind, one); err != nil {
			return fmt.Errorf("%s %s: %w", one.kind, one.id, err)
		}
	}
	return nil
}

// insist repeats an order under its id until it is acknowledged.
func (h *History) insist(ctx context.Context, kind Kind, one *order) error {
	ctx, cancel := bounded(ctx, healing, "the order's acknowledgement")
	defer cancel()
	return until(ctx, func() error {
		err := h.place(ctx, kind, one)
		h.answered(one, err)
		return err
	})
}
