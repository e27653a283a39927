package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// world is what the steps share: the platform, and the people around it.
type world struct {
	config   Config
	root     string // working folder
	own      bool   // root was made here
	cities   string // the data file
	platform *platform

	mail  *outsider.Mailbox // where pages arrive
	hooks *outsider.Hooks   // likewise, signed
	admin *outsider.Door    // an operator's key
	feed  *outsider.Feed    // an integrator's subscription

	shop      *workspace // the one that things happen to
	neighbour *workspace // the one that must not notice
}

// workspace is one customer's backend with the ways into it.
type workspace struct {
	name string // workspaces/{ref}
	ref  string
	made *tenantv1.CreateWorkspaceResponse
	sql  outsider.SQL
	s3   outsider.S3 // region primary
	door *outsider.Door
}

// newWorld prepares everything but the platform itself. What it made is removed when it fails.
func newWorld(c Config) (_ *world, err error) {
	w := &world{config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.cities, err = FindData(c.Data, c.Binary); err != nil {
		return nil, err
	}
	if err = checkCities(w.cities); err != nil {
		return nil, err
	}
	if err = w.makeRoot(); err != nil {
		return nil, err
	}
	if w.mail, err = outsider.OpenMailbox(); err != nil {
		return nil, err
	}
	if w.hooks, err = outsider.OpenHooks(); err != nil {
		return nil, err
	}
	alerting, err := w.writeAlerting()
	if err != nil {
		return nil, fmt.Errorf("configure alerting: %w", err)
	}
	w.platform, err = newPlatform(c.Binary, w.root, alerting)
	return w, err
}

// makeRoot makes the working folder. Postgres runs as another user when we are root, and must be able to pass through.
func (w *world) makeRoot() (err error) {
	if w.config.Dir != "" {
		if w.root, err = filepath.Abs(w.config.Dir); err != nil {
			return err
		}
		return emptyFolder(w.root)
	}
	if w.root, err = os.MkdirTemp("", "naksha-demo-"); err != nil {
		return fmt.Errorf("temporary folder: %w: choose a place with --dir", err)
	}
	w.own = true
	return os.Chmod(w.root, 0o711)
}

func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("working folder: %w: choose another with --dir", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("working folder: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("working folder %s is not empty: the demo begins with nothing; choose a new one with --dir", dir)
	}
	return nil
}

// close ends everything, in the order that nobody waits for somebody gone, and removes the working folder.
func (w *world) close() error {
	w.closeClients()
	var err error
	if w.platform != nil {
		ctx, cancel := bounded(context.Background(), patience, "stopping the platform")
		defer cancel()
		err = w.platform.stop(ctx)
	}
	if w.mail != nil {
		w.mail.Close()
	}
	if w.hooks != nil {
		w.hooks.Close()
	}
	switch {
	case w.own && !w.config.Keep:
		err = errors.Join(err, os.RemoveAll(w.root))
	case w.platform != nil:
		w.config.Kept(w.root)
	}
	return err
}

func (w *world) closeClients() {
	for _, ws := range []*workspace{w.shop, w.neighbour} {
		if ws != nil {
			ws.door.Close()
		}
	}
	if w.admin != nil {
		w.admin.Close()
	}
	if w.feed != nil {
		w.feed.Close()
	}
}

// enter opens the operator's door and the integrator's subscription at the started platform.
func (w *world) enter() error {
	at := w.platform.endpoints
	ca, err := os.ReadFile(at.CAFile)
	if err != nil {
		return fmt.Errorf("CA: %w", err)
	}
	key, err := w.platform.secret(at.AdminKeyFile)
	if err != nil {
		return fmt.Errorf("first admin key: %w", err)
	}
	if w.admin, err = outsider.OpenDoor(at.Gateway, ca, key); err != nil {
		return err
	}
	password, err := w.platform.secret(filepath.Join(w.platform.state, "subscriber.password"))
	if err != nil {
		return fmt.Errorf("password of the subscriber: %w", err)
	}
	w.feed = outsider.NewFeed(at.NATS, "subscriber", password)
	return w.feed.Open()
}

// reenter opens everything anew after the platform was away: old connections would wait before they try again.
func (w *world) reenter() error {
	w.closeClients()
	if err := w.enter(); err != nil {
		return err
	}
	for _, ws := range []*workspace{w.shop, w.neighbour} {
		var err error
		if ws.door, err = w.admin.With(ws.made.GetCredentials().GetSecretKey()); err != nil {
			return err
		}
	}
	return nil
}

// settle gives a new workspace's owner the ways into it.
func (w *world) settle(made *tenantv1.CreateWorkspaceResponse) (*workspace, error) {
	secrets, at := made.GetCredentials(), made.GetWorkspace().GetEndpoints()
	ws := &workspace{name: made.GetWorkspace().GetName(), made: made}
	ws.ref = filepath.Base(ws.name)
	var err error
	if ws.sql, err = outsider.NewSQL(secrets.GetDatabaseUrl()); err != nil {
		return nil, err
	}
	ws.s3, err = outsider.NewS3(at.GetS3Endpoints()["primary"], secrets.GetS3AccessKeyId(), secrets.GetS3SecretAccessKey(), at.GetBucket())
	if err != nil {
		return nil, err
	}
	if ws.door, err = w.admin.With(secrets.GetSecretKey()); err != nil {
		return nil, err
	}
	return ws, nil
}

func (w *world) progress(format string, args ...any) { w.config.Progress(fmt.Sprintf(format, args...)) }
