// Package conf fills a struct from its defaults, a YAML file and the environment, in that order, and describes itself as
// a table for the documentation. It refuses what it does not know: a mistyped key is an error that names the nearest
// known one. It reads the environment and files only through what the caller hands it.
package conf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// Options say where values come from. The zero Options leave every default as it is.
type Options struct {
	// Prefix opens the name of every environment variable, e.g. "NAKSHA_TENANT".
	Prefix string
	// File is the path of a YAML file; empty = none.
	File string
	// Environ is the environment as in os.Environ: it is looked up, and searched for mistyped names under Prefix.
	Environ []string
	// Lookup finds one environment variable, as os.LookupEnv does; it is asked before Environ.
	Lookup func(name string) (string, bool)
	// ReadFile reads File and the secrets' files; default: the file system, where a secret's file must be private.
	ReadFile func(path string) ([]byte, error)
}

// Load fills into, a pointer to a struct that holds the defaults. Fields take part by their tag `conf:"name"`; nested
// structs nest in YAML and join with '_' in the environment (`NAKSHA_TENANT_DATABASE_URL`). Every Secret field has a
// sibling key with `_file` behind it, whose file is read instead.
func Load(into any, o Options) error {
	fields, err := fieldsOf(into, o.Prefix)
	if err != nil {
		return err
	}
	k := koanf.New(".")
	if err := loadFile(k, fields, o); err != nil {
		return err
	}
	if err := loadEnviron(k, fields, o); err != nil {
		return err
	}
	if err := loadSecrets(k, fields, o); err != nil {
		return err
	}
	return decode(k, into)
}

func loadFile(k *koanf.Koanf, fields []field, o Options) error {
	if o.File == "" {
		return nil
	}
	raw, err := o.readFile(o.File, false)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	values, err := yaml.Parser().Unmarshal(raw)
	if err != nil {
		return fmt.Errorf("read configuration %s: %w", o.File, err)
	}
	if err := k.Load(confmap.Provider(values, ""), nil); err != nil {
		return fmt.Errorf("read configuration %s: %w", o.File, err)
	}
	if err := refuseUnknownKeys(k, fields); err != nil {
		return fmt.Errorf("read configuration %s: %w", o.File, err)
	}
	return nil
}

// refuseUnknownKeys reports every key of k that no field takes, with the nearest known key.
func refuseUnknownKeys(k *koanf.Koanf, fields []field) error {
	known := knownPaths(fields)
	var errs []error
	for _, key := range k.Keys() {
		if !takes(fields, key) {
			errs = append(errs, unknown("key", key, known))
		}
	}
	return errors.Join(errs...)
}

// takes reports whether some field reads key: by its own name, as the file of a secret, or as an entry of a map.
func takes(fields []field, key string) bool {
	for _, f := range fields {
		if f.path == key || f.secret && f.path+fileSuffix == key || f.isMap && strings.HasPrefix(key, f.path+".") {
			return true
		}
	}
	return false
}

func knownPaths(fields []field) []string {
	var paths []string
	for _, f := range fields {
		paths = append(paths, f.path)
		if f.secret {
			paths = append(paths, f.path+fileSuffix)
		}
	}
	return paths
}

func unknown(what, name string, known []string) error {
	if near := nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %q; did you mean %q?", what, name, near)
	}
	return fmt.Errorf("unknown %s %q", what, name)
}

// decode writes what k holds over the defaults in into.
func decode(k *koanf.Koanf, into any) error {
	err := k.UnmarshalWithConf("", into, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		TagName:          tagName,
		Result:           into,
		WeaklyTypedInput: true,
		ErrorUnused:      true,
		MatchName:        func(key, name string) bool { return key == name },
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			refuseBareDuration,
			mapstructure.TextUnmarshallerHookFunc(),
			mapstructure.StringToTimeDurationHookFunc(),
			splitList,
			splitMap,
		),
	}})
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	return nil
}
