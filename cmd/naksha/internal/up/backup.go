package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/sealed"
	"github.com/naksha-cloud/naksha/pkg/file"
	"github.com/naksha-cloud/naksha/pkg/local"
)

// Names in a backup of the platform. The root key and the record belong together: either alone is useless.
const (
	entryManifest = "manifest.json"
	entryDatabase = "platform.dump" // pg_dump's custom format
)

// manifest says what a backup holds.
type manifest struct {
	Format  int       `json:"format"` // of the state directory
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	Dump    string    `json:"dump"` // version of pg_dump
}

// Backup writes the platform database and the root key of the running platform in c.Dir, sealed to recipients. Customers'
// data is not in it: it lies in cells and regions, whose copies the backup service makes.
func Backup(ctx context.Context, c Config, recipients string, to io.Writer) error {
	server, err := platformServer(c)
	if err == nil {
		err = (&state{dir: c.Dir}).readFormat()
	}
	if err != nil {
		return err
	}
	tools, err := local.FindPostgres()
	if err != nil {
		return err
	}
	w, err := sealed.NewWriter(to, recipients)
	if err != nil {
		return err
	}
	head, err := json.Marshal(manifest{Format: format, Version: c.Version, Time: time.Now().UTC(), Dump: tools.Version})
	if err == nil {
		err = w.File(entryManifest, head)
	}
	if err == nil {
		err = addFiles(w, c.Dir)
	}
	if err == nil {
		err = dump(ctx, tools, in(server, databaseName), func(out io.Reader) error { return w.Stream(entryDatabase, out) })
	}
	if err != nil {
		return fmt.Errorf("back up the platform: %w", err)
	}
	return w.Close()
}

// platformServer is the URL of the platform database's superuser: the one that was given, or that of the running platform.
func platformServer(c Config) (string, error) {
	if given := c.External.DatabaseURL.Reveal(); given != "" {
		return given, nil
	}
	pid, err := Running(c.Dir)
	if err != nil {
		return "", err
	}
	e, err := ReadEndpoints(c.Dir)
	if err == nil && pid == 0 {
		err = fmt.Errorf("the platform of %s does not run: start it with `naksha up`, a backup is taken while it serves", c.Dir)
	}
	if err != nil {
		return "", err
	}
	s, err := readState(c.Dir)
	if err != nil {
		return "", err
	}
	ca := s.path("pki", "ca.crt") // where it is in every release
	return local.PostgresURL(e.Platform, "postgres", s.password("postgres/platform"), "postgres",
		url.Values{"sslmode": {"verify-full"}, "sslrootcert": {ca}}), nil
}

// kept are the files that a backup takes from a state directory, as patterns. Keys of private regions stay behind: they are
// made anew.
var kept = []string{fileRootKey, fileAdminKey, "pki/ca.crt", "pki/ca.key", "s3/" + backupUser + "-*-*.sealed"}

func addFiles(w *sealed.Writer, dir string) error {
	for _, pattern := range kept {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range found {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			if err := w.File(filepath.ToSlash(name), content); err != nil {
				return err
			}
		}
	}
	return nil
}

// dump runs pg_dump and hands its output on. What it wrote counts only when it ended well.
func dump(ctx context.Context, tools local.Binaries, server string, take func(out io.Reader) error) error {
	cmd, complaint := tool(ctx, tools.Path("pg_dump"), server, "--format=custom", "--lock-wait-timeout=60s")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start pg_dump: %w", err)
	}
	taken := take(out)
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("pg_dump: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return taken
}

// tool is one of Postgres' programs on a server; the password is in its environment, which its owner alone can read.
func tool(ctx context.Context, path, server string, args ...string) (*exec.Cmd, *strings.Builder) {
	u, err := url.Parse(server)
	if err != nil {
		u = &url.URL{} // connects to nothing, and says so
	}
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	cmd, complaint := exec.CommandContext(ctx, path, append(args, "--no-password", "--dbname="+u.String())...), &strings.Builder{}
	cmd.Env = append(ownEnvironment(os.Environ()), "PGPASSWORD="+password)
	cmd.Stderr = complaint
	return cmd, complaint
}

// Restore makes the state directory c.Dir from a backup, with the platform database on a server of its own there, or on
// the one that c.External names. The directory must be new. What a failed restore made is removed; what a killed one left
// is no state directory, and `naksha up` refuses it.
func Restore(ctx context.Context, c Config, identities string, from io.Reader) error {
	r, err := sealed.NewReader(from, identities)
	if err != nil {
		return err
	}
	if err := newDirectory(c.Dir); err != nil {
		return err
	}
	if err := restore(ctx, c, r); err != nil {
		return errors.Join(fmt.Errorf("restore the platform: %w", err), empty(c.Dir))
	}
	return nil
}

func restore(ctx context.Context, c Config, r *sealed.Reader) error {
	p, err := New(c)
	if err != nil {
		return err
	}
	restored := false
	err = r.Walk(func(name string, content io.Reader) error {
		switch {
		case name == entryManifest:
			return checkManifest(content)
		case name == entryDatabase:
			restored = true
			return p.restoreDatabase(ctx, content)
		case isKept(name):
			return keepFile(p.config.Dir, name, content)
		}
		return fmt.Errorf("the backup holds %q: it was made by a newer release, restore it with that", name)
	})
	if err == nil && !restored {
		err = errors.New("the backup holds no platform database: it is damaged")
	}
	if err != nil {
		return err
	}
	done := &state{dir: p.config.Dir}
	if err := done.markServed(); err != nil { // its customers' data is elsewhere, or lost: nothing empty takes its place
		return err
	}
	return done.markFormat()
}

// empty removes what is in a directory that was empty before.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// newDirectory makes dir, or accepts an empty one.
func newDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("state directory %s: %w: choose another with --dir", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("state directory %s: %w", dir, err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it holds %s): a platform is restored into a new directory, name one with --dir", dir, entries[0].Name())
	}
	return nil
}

func checkManifest(content io.Reader) error {
	var m manifest
	if err := json.NewDecoder(io.LimitReader(content, 1<<20)).Decode(&m); err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if m.Format != format {
		return fmt.Errorf("the backup was made by release %s with format %d, this program reads %d: restore it with that release", m.Version, m.Format, format)
	}
	return nil
}

func isKept(name string) bool {
	for _, pattern := range kept {
		if ok, _ := filepath.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

func keepFile(dir, name string, content io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(content, 1<<20))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o711); err != nil {
		return err
	}
	return file.Replace(path, text, 0o600)
}

// restoreDatabase loads the dump into the platform's server, which is started for that where it is our own.
func (p *Platform) restoreDatabase(ctx context.Context, content io.Reader) (err error) {
	// Nothing but the mark of a finished directory is missing: the keys came before the dump.
	if p.state, err = takeState(p.config.Dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.state.close(), p.releasePorts(ctx)) }()
	if p.config.External.DatabaseURL == "" {
		if err := p.pick(&p.config.Ports.Platform); err != nil {
			return err
		}
		if err := p.startPlatform(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.platform.Load().Stop(context.WithoutCancel(ctx))) }()
	} else if err := checkServer(ctx, p.platformURL(), false); err != nil {
		return err
	}
	return p.load(ctx, content)
}

// load fills an empty database; one that holds schemas of services is refused.
func (p *Platform) load(ctx context.Context, content io.Reader) error {
	if err := p.makeRoles(ctx); err != nil {
		return err
	}
	if err := p.refuseFilled(ctx); err != nil {
		return err
	}
	tools, err := local.FindPostgres()
	if err != nil {
		return err
	}
	cmd, complaint := tool(ctx, tools.Path("pg_restore"), in(p.platformURL(), databaseName), "--exit-on-error", "--single-transaction")
	from := &watched{Reader: content}
	cmd.Stdin = from
	if err := cmd.Run(); err != nil {
		if from.err != nil { // pg_restore only knows that its input ended
			return from.err
		}
		return fmt.Errorf("pg_restore: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return p.makeSchemas(ctx)
}

// watched remembers why reading failed.
type watched struct {
	io.Reader
	err error // of the first read that failed, not the end
}

// Read reads on.
func (w *watched) Read(into []byte) (int, error) {
	n, err := w.Reader.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
