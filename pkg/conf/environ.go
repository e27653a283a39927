package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"
	"syscall"

	"github.com/knadh/koanf/v2"
)

// fileSuffix behind a secret's key names the file that holds it.
const fileSuffix = "_file"

// serviceLink matches the variables that Kubernetes sets for every service of a namespace; they are not ours.
var serviceLink = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP)(_\w+)?)$`)

// loadEnviron sets each field whose variable is set, and refuses variables under the prefix that no field reads.
func loadEnviron(k *koanf.Koanf, fields []field, o Options) error {
	for _, f := range fields {
		if v, ok := o.lookup(f.env); ok {
			if err := k.Set(f.path, v); err != nil {
				return fmt.Errorf("read %s: %w", f.env, err)
			}
		}
	}
	return refuseUnknownVariables(fields, o)
}

func refuseUnknownVariables(fields []field, o Options) error {
	names := knownVariables(fields)
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	var errs []error
	for _, entry := range o.Environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, o.Prefix+"_") && !known[name] && !serviceLink.MatchString(name) {
			errs = append(errs, unknown("variable", name, names))
		}
	}
	return errors.Join(errs...)
}

func knownVariables(fields []field) []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.env)
		if f.secret {
			names = append(names, f.fileEnv())
		}
	}
	return names
}

// loadSecrets replaces each secret that is given by a file with the file's content.
func loadSecrets(k *koanf.Koanf, fields []field, o Options) error {
	for _, f := range fields {
		if !f.secret {
			continue
		}
		if err := loadSecret(k, f, o); err != nil {
			return err
		}
	}
	return nil
}

func loadSecret(k *koanf.Koanf, f field, o Options) error {
	path, ok := o.lookup(f.fileEnv())
	if !ok {
		path = k.String(f.path + fileSuffix)
	}
	k.Delete(f.path + fileSuffix)
	if path == "" {
		return nil
	}
	if k.Exists(f.path) {
		return fmt.Errorf("%s and %s are both set: keep one", f.path, f.path+fileSuffix)
	}
	raw, err := o.readFile(path, true)
	if err != nil {
		return fmt.Errorf("read secret %s: %w", f.path, err)
	}
	return k.Set(f.path, strings.TrimRight(string(raw), "\r\n"))
}

func (o Options) lookup(name string) (string, bool) {
	if o.Lookup != nil {
		if v, ok := o.Lookup(name); ok {
			return v, true
		}
	}
	for i := len(o.Environ) - 1; i >= 0; i-- {
		if key, v, ok := strings.Cut(o.Environ[i], "="); ok && key == name {
			return v, true
		}
	}
	return "", false
}

func (o Options) readFile(path string, private bool) ([]byte, error) {
	if o.ReadFile != nil {
		return o.ReadFile(path)
	}
	if private {
		if err := checkPrivate(path); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(path)
}

// checkPrivate refuses a file that others can read. A file of root may be readable for its group, since Kubernetes
// mounts secrets so for processes that are not root.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	allowed := fs.FileMode(0o600)
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid == 0 && os.Geteuid() != 0 {
		allowed = 0o640
	}
	if extra := info.Mode().Perm() &^ (allowed | 0o100); extra != 0 {
		return fmt.Errorf("%s has mode %04o, so others can read it: run chmod %04o %s",
			path, info.Mode().Perm(), allowed, path)
	}
	return nil
}

// splitList reads a list from one environment variable: comma-separated, blanks around the entries ignored.
func splitList(from, to reflect.Type, value any) (any, error) {
	if from.Kind() != reflect.String || to.Kind() != reflect.Slice {
		return value, nil
	}
	list := []string{}
	for entry := range strings.SplitSeq(reflect.ValueOf(value).String(), ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			list = append(list, entry)
		}
	}
	return list, nil
}

// splitMap reads a map from "name=value,name=value".
func splitMap(from, to reflect.Type, value any) (any, error) {
	if from.Kind() != reflect.String || to.Kind() != reflect.Map {
		return value, nil
	}
	entries, err := splitList(from, reflect.TypeFor[[]string](), value)
	if err != nil {
		return nil, err
	}
	m := map[string]any{}
	for _, entry := range entries.([]string) {
		name, of, found := strings.Cut(entry, "=")
		if !found {
			return nil, fmt.Errorf("%q: write name=value,name=value", entry)
		}
		m[strings.TrimSpace(name)] = strings.TrimSpace(of)
	}
	return m, nil
}
