package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestPostgres is the first major version that Naksha runs on.
const oldestPostgres = 15

// Binaries is one installed PostgreSQL.
type Binaries struct {
	// Dir holds initdb, postgres, pg_dump, pg_restore and psql.
	Dir string
	// Version is the full version, such as "15.18".
	Version string
	// Major is its first part, which decides whether a data folder can be opened.
	Major int
}

// Path returns the full path of one of the programs.
func (b Binaries) Path(name string) string { return filepath.Join(b.Dir, name) }

// FindPostgres returns the first usable PostgreSQL of PATH, `pg_config --bindir` and the usual folders of Linux
// distributions, where the newest wins. The error says which package to install.
func FindPostgres() (Binaries, error) {
	found, problems := installed()
	if len(found) > 0 {
		return found[0], nil
	}
	const remedy = "install the package postgresql (Debian, Ubuntu: `apt-get install postgresql`; Fedora, RHEL: `dnf install postgresql-server`) or add the folder of initdb to PATH"
	if len(problems) > 0 {
		return Binaries{}, fmt.Errorf("no usable PostgreSQL %d or newer (%w): %s", oldestPostgres, errors.Join(problems...), remedy)
	}
	return Binaries{}, fmt.Errorf("no PostgreSQL %d or newer on this machine: %s", oldestPostgres, remedy)
}

// findMajor returns an installed PostgreSQL of exactly this major version.
func findMajor(major int) (Binaries, bool) {
	found, _ := installed()
	i := slices.IndexFunc(found, func(b Binaries) bool { return b.Major == major })
	if i < 0 {
		return Binaries{}, false
	}
	return found[i], true
}

// installed returns every usable PostgreSQL in the order of preference, and why the others are not usable.
func installed() (found []Binaries, problems []error) {
	seen := map[string]bool{}
	for _, dir := range candidates() {
		if seen[dir] {
			continue
		}
		seen[dir] = true
		b, err := inspect(dir)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found = append(found, b)
	}
	return found, problems
}

func candidates() []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql@*/bin"} {
		matches, _ := filepath.Glob(pattern)
		slices.SortFunc(matches, func(a, b string) int { return numberIn(b) - numberIn(a) })
		dirs = append(dirs, matches...)
	}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "initdb"))
		return err != nil
	})
}

// numberIn returns the first number in a path such as /usr/lib/postgresql/15/bin, for newest first.
func numberIn(path string) int {
	n, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(path))
	return n
}

// inspect checks that a folder holds everything that we start, in a version that we support.
func inspect(dir string) (Binaries, error) {
	for _, name := range []string{"initdb", "postgres", "pg_dump", "pg_restore", "psql"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return Binaries{}, fmt.Errorf("%s has no %s", dir, name)
		}
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("ask %s/postgres for its version: %w", dir, err)
	}
	version, major, err := parseVersion(string(out))
	if err != nil {
		return Binaries{}, fmt.Errorf("%s/postgres: %w", dir, err)
	}
	if major < oldestPostgres {
		return Binaries{}, fmt.Errorf("%s is version %s", dir, version)
	}
	return Binaries{Dir: dir, Version: version, Major: major}, nil
}

// parseVersion reads the output of `postgres --version`: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
// or "… 19beta1" before a release.
func parseVersion(out string) (version string, major int, err error) {
	match := regexp.MustCompile(`\(PostgreSQL\) ((\d+)[^\s]*)`).FindStringSubmatch(out)
	if match == nil {
		return "", 0, fmt.Errorf("unknown version %q", strings.TrimSpace(out))
	}
	major, err = strconv.Atoi(match[2])
	return match[1], major, err
}
