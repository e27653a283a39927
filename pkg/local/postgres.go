package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"
)

// PostgresConfig describes one private Postgres server.
type PostgresConfig struct {
	// Dir is the state folder of this server: data, log, certificates, lock. It is made when missing.
	Dir string
	// Host to listen on; default 127.0.0.1. The server listens on TCP only, it has no unix socket.
	Host string
	// Port to listen on; 0 picks a free one.
	Port int
	// SuperuserPassword is the password of the role postgres from this start on.
	SuperuserPassword string
	// CertFile and KeyFile switch TLS on (PEM); CAFile is what clients check the server against. They are copied.
	CertFile, KeyFile, CAFile string
	// Settings of postgresql.conf over the defaults of this package; see DefaultSettings.
	Settings map[string]string
	// InitCache is a folder that keeps pristine data folders, so that a fresh start costs a copy instead of an initdb.
	// Copies share one system identifier and are not flushed to disk: it is for tests. Empty means no cache.
	InitCache string
	// Binaries to run; the zero value means FindPostgres.
	Binaries Binaries
	// Log receives what an operator would want to know; nil discards it.
	Log *slog.Logger
}

// Postgres is a running private Postgres server.
type Postgres struct {
	config  PostgresConfig
	dir     string // resolved, so that it equals what the kernel reports
	account account
	bin     Binaries
	lock    *os.File
	log     *slog.Logger

	process process
	done    chan struct{} // closed when the postmaster has ended

	stop sync.Mutex // one Stop at a time
}

// StartPostgres starts a server on its state folder and returns when it accepts the superuser's login. A fresh folder
// is initialised; an existing one is adopted, whatever port, certificates or superuser password it had before. A
// server that a killed run left behind is stopped first.
func StartPostgres(ctx context.Context, c PostgresConfig) (_ *Postgres, err error) {
	p, err := newPostgres(c)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.abandon()
		}
	}()
	began := time.Now()
	if err := p.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare Postgres in %s: %w", p.dir, err)
	}
	if err := p.launchAnywhere(ctx, c.Port); err != nil {
		return nil, fmt.Errorf("start Postgres in %s: %w", p.dir, err)
	}
	p.log.InfoContext(ctx, "postgres started", "dir", p.dir, "port", p.config.Port, "version", p.bin.Version, "pid", p.PID(), "took", time.Since(began))
	return p, nil
}

// newPostgres checks the configuration and takes the folder.
func newPostgres(c PostgresConfig) (*Postgres, error) {
	if c.Dir == "" || c.SuperuserPassword == "" {
		return nil, errors.New("start Postgres: Dir and SuperuserPassword are required")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return nil, errors.New("start Postgres: CertFile and KeyFile go together")
	}
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	account, err := postgresAccount()
	if err != nil {
		return nil, err
	}
	dir, err := stateFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	if err := account.canReach(dir); err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	return &Postgres{config: c, dir: dir, account: account, lock: lock, log: orDiscard(c.Log)}, nil
}

// prepare leaves a data folder of our own that nobody runs on, with this start's configuration in it.
func (p *Postgres) prepare(ctx context.Context) error {
	if err := p.account.own(p.dir); err != nil {
		return fmt.Errorf("hand over %s: %w", p.dir, err)
	}
	if err := p.stopOrphan(ctx); err != nil {
		return err
	}
	if err := p.chooseBinaries(); err != nil {
		return err
	}
	fresh, err := p.initialise(ctx)
	if err != nil {
		return err
	}
	if err := p.settle(p.config.Port); err != nil {
		return err
	}
	if fresh {
		return p.setPassword(ctx)
	}
	return nil
}

// settle takes the wanted port, or a free one for 0, and writes this start's configuration.
func (p *Postgres) settle(wanted int) (err error) {
	if p.config.Port, err = portOrFree(p.config.Host, wanted, "the port setting of this Postgres server"); err != nil {
		return err
	}
	return p.configure()
}

// launchAnywhere launches the server, on another free port where the one that was picked is taken meanwhile.
func (p *Postgres) launchAnywhere(ctx context.Context, wanted int) error {
	for try := 1; ; try++ {
		err := p.launch(ctx)
		if !errors.Is(err, ErrAddressInUse) || wanted != 0 || try == freeTries {
			return err
		}
		if err := p.settle(wanted); err != nil {
			return err
		}
	}
}

// launch starts the server; a data folder whose superuser has another password is given the configured one.
func (p *Postgres) launch(ctx context.Context) error {
	if err := p.run(ctx); err != nil {
		return err
	}
	err := p.login(ctx)
	if !isWrongPassword(err) {
		return err
	}
	p.log.InfoContext(ctx, "postgres superuser password changes", "dir", p.dir)
	if err := p.halt(ctx); err != nil {
		return err
	}
	if err := p.setPassword(ctx); err != nil {
		return err
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	return p.login(ctx)
}

// run starts the postmaster and waits until it is ready.
func (p *Postgres) run(ctx context.Context) error {
	log, err := openLog(p.logFile())
	if err != nil {
		return err
	}
	defer log.Close()
	offset, _ := log.Seek(0, io.SeekEnd)
	cmd := exec.Command(p.bin.Path("postgres"), "-D", p.data())
	cmd.Dir, cmd.Env = p.dir, environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = p.account.attributes()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p.done = make(chan struct{})
	go p.watch(cmd, p.done)
	if p.process, err = findProcess(cmd.Process.Pid); err != nil {
		return p.startError(offset)
	}
	return p.awaitReady(ctx, offset)
}

// watch closes done when the server has ended, and keeps its log short until then.
func (p *Postgres) watch(cmd *exec.Cmd, done chan<- struct{}) {
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in the log; that it ended is what callers wait for
		close(ended)
	}()
	p.keepLogShort(ended)
	close(done)
}
