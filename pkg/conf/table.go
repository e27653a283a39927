package conf

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// tagName is the struct tag that names a field in YAML.
const tagName = "conf"

// squash is the tag of an embedded struct whose fields count as the outer struct's own.
const squash = ",squash"

// Row describes one configuration field.
type Row struct {
	Name    string // key in YAML, dotted: "database.url"
	Env     string // environment variable
	Type    string // "string", "duration", "size", "secret", "bool", "integer", "number", "list", "map"
	Default string // as it would be written; empty = none
	Doc     string // the field's `doc` tag
}

// Table lists the fields of into, a struct with its defaults or a pointer to one, in the order of its declaration.
func Table(into any, prefix string) ([]Row, error) {
	fields, err := fieldsOf(into, prefix)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(fields))
	for _, f := range fields {
		rows = append(rows, Row{Name: f.path, Env: f.env, Type: typeName(f.value), Default: defaultOf(f.value), Doc: f.doc})
		if f.secret {
			rows = append(rows, Row{
				Name: f.path + fileSuffix, Env: f.fileEnv(), Type: "string",
				Doc: "file of mode 0600 that holds " + f.path,
			})
		}
	}
	return rows, nil
}

// field is one leaf of a configuration struct.
type field struct {
	path   string // dotted
	env    string
	doc    string
	secret bool
	isMap  bool
	value  reflect.Value // the default
}

func (f field) fileEnv() string { return f.env + strings.ToUpper(fileSuffix) }

// fieldsOf lists the leaves of into; an error says that the struct itself is wrong.
func fieldsOf(into any, prefix string) ([]field, error) {
	v := reflect.Indirect(reflect.ValueOf(into))
	if v.Kind() != reflect.Struct {
		return nil, fmt.Errorf("read configuration: want a pointer to a struct, got %T", into)
	}
	fields := appendFields(nil, v, "", prefix)
	seen := map[string]string{}
	for _, f := range fields {
		if other, ok := seen[f.env]; ok {
			return nil, fmt.Errorf("read configuration: %s and %s share the variable %s", other, f.path, f.env)
		}
		seen[f.env] = f.path
	}
	return fields, nil
}

func appendFields(fields []field, v reflect.Value, path, env string) []field {
	for i := range v.NumField() {
		t := v.Type().Field(i)
		name := t.Tag.Get(tagName)
		if name == squash {
			fields = appendFields(fields, v.Field(i), path, env)
			continue
		}
		if name == "" || name == "-" || !t.IsExported() {
			continue
		}
		full, variable := join(path, ".", name), join(env, "_", strings.ToUpper(name))
		if isSection(v.Field(i)) {
			fields = appendFields(fields, v.Field(i), full, variable)
			continue
		}
		fields = append(fields, field{
			path: full, env: variable, doc: t.Tag.Get("doc"), value: v.Field(i),
			secret: t.Type == reflect.TypeFor[Secret](), isMap: t.Type.Kind() == reflect.Map,
		})
	}
	return fields
}

// isSection reports whether v is a struct to descend into, and not a value that reads itself from text.
func isSection(v reflect.Value) bool {
	return v.Kind() == reflect.Struct && !reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func join(a, sep, b string) string {
	if a == "" {
		return b
	}
	return a + sep + b
}

func typeName(v reflect.Value) string {
	switch v.Interface().(type) {
	case Secret:
		return "secret"
	case time.Duration:
		return "duration"
	case Size:
		return "size"
	}
	switch {
	case v.CanInt(), v.CanUint():
		return "integer"
	case v.CanFloat():
		return "number"
	case v.Kind() == reflect.Slice:
		return "list"
	case v.Kind() == reflect.Bool, v.Kind() == reflect.Map:
		return v.Kind().String()
	default:
		return "string"
	}
}

func defaultOf(v reflect.Value) string {
	if v.IsZero() {
		return ""
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	entries := make([]string, v.Len())
	for i := range entries {
		entries[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(entries, ",")
}
