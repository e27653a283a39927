package conf

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Write returns the YAML that Load reads c from, secrets in the clear: for handing a configuration to another process,
// through a pipe that nobody else reads.
func Write(c any) ([]byte, error) { return write(c, Secret.Reveal) }

// Show returns the same YAML for people: every secret that is set is REDACTED.
func Show(c any) ([]byte, error) { return write(c, Secret.String) }

func write(c any, secret func(Secret) string) ([]byte, error) {
	fields, err := fieldsOf(c, "")
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	for _, f := range fields {
		put(tree, strings.Split(f.path, "."), plain(f.value, secret))
	}
	content, err := yaml.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return content, nil
}

// put sets one leaf of a tree of sections.
func put(tree map[string]any, path []string, value any) {
	for _, section := range path[:len(path)-1] {
		next, ok := tree[section].(map[string]any)
		if !ok {
			next = map[string]any{}
			tree[section] = next
		}
		tree = next
	}
	tree[path[len(path)-1]] = value
}

// plain is a value as YAML carries it and decode takes it back.
func plain(v reflect.Value, secret func(Secret) string) any {
	switch value := v.Interface().(type) {
	case Secret:
		return secret(value)
	case time.Duration:
		return value.String()
	case fmt.Stringer: // reads itself from the text that it shows
		return value.String()
	}
	switch v.Kind() {
	case reflect.Slice:
		return list(v, secret)
	case reflect.Struct:
		return section(v, secret)
	default:
		return v.Interface()
	}
}

func list(v reflect.Value, secret func(Secret) string) []any {
	out := make([]any, 0, v.Len())
	for i := range v.Len() {
		out = append(out, plain(v.Index(i), secret))
	}
	return out
}

// section is a struct inside of a list.
func section(v reflect.Value, secret func(Secret) string) map[string]any {
	out := map[string]any{}
	for _, f := range appendFields(nil, v, "", "") {
		put(out, strings.Split(f.path, "."), plain(f.value, secret))
	}
	return out
}
