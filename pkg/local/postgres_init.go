package local

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// superuser is the role that initdb makes.
const superuser = "postgres"

// initArguments of initdb. Sorting by bytes ("C") survives an upgrade of the operating system, where another C
// library would sort differently and break indexes; checksums let a flipped bit be found.
func initArguments() []string {
	return []string{
		"--username=" + superuser, "--auth=scram-sha-256", "--encoding=UTF8",
		"--locale=C", "--lc-ctype=C.UTF-8", "--data-checksums",
	}
}

// chooseBinaries takes the configured installation, or the one that can open the existing data folder.
func (p *Postgres) chooseBinaries() error {
	p.bin = p.config.Binaries
	if p.bin.Dir == "" {
		found, err := FindPostgres()
		if err != nil {
			return err
		}
		p.bin = found
	}
	major, err := dataMajor(p.data())
	if err != nil || major == 0 || major == p.bin.Major {
		return err
	}
	if other, ok := findMajor(major); ok && p.config.Binaries.Dir == "" {
		p.bin = other
		return nil
	}
	return fmt.Errorf("the data folder %s is of PostgreSQL %d, installed is %s: install PostgreSQL %d as well, or convert the folder with pg_upgrade", p.data(), major, p.bin.Version, major)
}

// dataMajor returns the major version of a data folder, and 0 when there is none yet.
func dataMajor(data string) (int, error) {
	entries, err := os.ReadDir(data)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look into %s: %w", data, err)
	}
	raw, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	major, parseErr := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || parseErr != nil {
		return 0, fmt.Errorf("%s is no complete Postgres data folder (%d entries, no readable PG_VERSION): restore it from a backup, or move it away to start afresh", data, len(entries))
	}
	return major, nil
}

// initialise makes the data folder if there is none. It is made beside its place and renamed, so that a crash in the
// middle leaves nothing that looks finished.
func (p *Postgres) initialise(ctx context.Context) (fresh bool, err error) {
	if _, err := os.Stat(p.data()); err == nil {
		return false, nil
	}
	next := p.file("data.new")
	if err := os.RemoveAll(next); err != nil {
		return false, fmt.Errorf("clear an unfinished initdb: %w", err)
	}
	if err := p.fill(ctx, next); err != nil {
		return false, err
	}
	if err := os.Rename(next, p.data()); err != nil {
		return false, fmt.Errorf("finish initdb: %w", err)
	}
	if err := syncFolder(p.dir); err != nil { // a name that a power failure takes back would be cleared at the next start
		return false, fmt.Errorf("finish initdb: %w", err)
	}
	return true, nil
}

// fill makes a pristine data folder, from the cache where there is one.
func (p *Postgres) fill(ctx context.Context, next string) error {
	if p.config.InitCache == "" {
		return p.initdb(ctx, next)
	}
	cached := filepath.Join(p.config.InitCache, p.cacheKey())
	if _, err := os.Stat(cached); err != nil {
		if err := p.initdb(ctx, next, "--no-sync"); err != nil {
			return err
		}
		return publishFolder(next, cached)
	}
	if err := copyFolder(cached, next); err != nil {
		return fmt.Errorf("copy cached data folder: %w", err)
	}
	return p.account.ownAll(next)
}

func (p *Postgres) cacheKey() string {
	sum := sha256.Sum256([]byte(p.bin.Dir + " " + strings.Join(initArguments(), " ")))
	return "postgres-" + p.bin.Version + "-" + hex.EncodeToString(sum[:6])
}

// initdb makes a data folder whose superuser has a password that nobody knows: the real one is set afterwards, in
// one way for fresh, cached and adopted folders.
func (p *Postgres) initdb(ctx context.Context, data string, more ...string) error {
	pwfile := p.file("pwfile")
	if err := p.write(pwfile, []byte(rand.Text()+"\n")); err != nil {
		return err
	}
	defer os.Remove(pwfile)
	args := append(initArguments(), "--pgdata="+data, "--pwfile="+pwfile)
	cmd := exec.CommandContext(ctx, p.bin.Path("initdb"), append(args, more...)...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.dir, environment(), p.account.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, complaint(out))
	}
	return nil
}

// setPassword writes the superuser's SCRAM verifier while no server runs. A single-user server reads the statement
// from its standard input, so that the password is on no command line and in no log.
func (p *Postgres) setPassword(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.bin.Path("postgres"), "--single", "-D", p.data(), "postgres")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.dir, environment(), p.account.attributes()
	cmd.Stdin = strings.NewReader(fmt.Sprintf("ALTER ROLE %s PASSWORD '%s'\n", superuser, scramVerifier(p.config.SuperuserPassword)))
	if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("ERROR:")) {
		return fmt.Errorf("set the superuser's password: %w: %s", err, complaint(out))
	}
	return nil
}

// scramVerifier returns what Postgres stores for a password (RFC 5803 with SHA-256, 4096 rounds). Postgres prepares
// passwords by SASLprep first; for ASCII that changes nothing, and ours are ASCII.
func scramVerifier(password string) string {
	const rounds = 4096
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		panic("pbkdf2 refuses fixed, valid parameters: " + err.Error())
	}
	client := sha256.Sum256(sign(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, encode(salt), encode(client[:]), encode(sign(salted, "Server Key")))
}

func sign(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
