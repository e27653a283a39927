package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// output is how data is written: the same data in every form.
type output string

const (
	outputTable output = "table"
	outputJSON  output = "json"
	outputYAML  output = "yaml"
	outputName  output = "name"
)

// String is the flag's value.
func (o *output) String() string {
	if *o == "" {
		return string(outputTable)
	}
	return string(*o)
}

// Set reads the flag.
func (o *output) Set(text string) error {
	switch v := output(text); v {
	case outputTable, outputJSON, outputYAML, outputName:
		*o = v
		return nil
	}
	return fmt.Errorf("%q is not table, json, yaml or name", text)
}

// Type names the flag's value in help.
func (o *output) Type() string { return "form" }

// print writes one message, or the resources of a list, with the given columns (field paths) in a table.
func (a *App) print(m proto.Message, columns string) error {
	switch a.output {
	case outputJSON:
		return printJSON(a.Out, m)
	case outputYAML:
		return printYAML(a.Out, m)
	case outputName:
		return printNames(a.Out, m)
	default:
		return printTable(a.Out, rows(m), strings.Fields(columns))
	}
}

func printJSON(w io.Writer, m proto.Message) error {
	content, err := protojson.Marshal(m)
	if err != nil {
		return err
	}
	// protojson varies its white space on purpose; a second pass makes the text stable.
	var v any
	if err := json.Unmarshal(content, &v); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func printYAML(w io.Writer, m proto.Message) error {
	content, err := protojson.Marshal(m)
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(content, &v); err != nil {
		return err
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	return e.Encode(v)
}

func printNames(w io.Writer, m proto.Message) error {
	for _, row := range rows(m) {
		if _, err := fmt.Fprintln(w, field(row, "name")); err != nil {
			return err
		}
	}
	return nil
}

// rows are the resources in an answer: the repeated field of a list, the wrapped resource, or the answer itself.
func rows(m proto.Message) (found []protoreflect.Message) {
	answer := m.ProtoReflect()
	fields := answer.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			list := answer.Get(f).List()
			for k := range list.Len() {
				found = append(found, list.Get(k).Message())
			}
			return found
		case i == 0 && strings.HasSuffix(string(answer.Descriptor().Name()), "Response") && answer.Has(f):
			return []protoreflect.Message{answer.Get(f).Message()}
		}
	}
	return []protoreflect.Message{answer}
}

func printTable(w io.Writer, found []protoreflect.Message, columns []string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for i, c := range columns {
		columns[i] = c
		fmt.Fprint(t, strings.ToUpper(strings.ReplaceAll(strings.TrimSuffix(c, "_time"), "_", " ")), "\t")
	}
	fmt.Fprintln(t)
	for _, row := range found {
		for _, c := range columns {
			fmt.Fprint(t, field(row, c), "\t")
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// field is the text of a field path of a message; empty where it is unset or does not exist.
func field(m protoreflect.Message, path string) string {
	name, rest, nested := strings.Cut(path, ".")
	f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if f == nil || !m.Has(f) && f.Kind() == protoreflect.MessageKind {
		return ""
	}
	if nested {
		return field(m.Get(f).Message(), rest)
	}
	return text(f, m.Get(f))
}

func text(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch {
	case f.IsMap():
		return fmt.Sprint(v.Map().Len())
	case f.IsList():
		return fmt.Sprint(v.List().Len())
	case f.Enum() != nil:
		return enumText(f.Enum(), v.Enum())
	case f.Message() != nil:
		if ts, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			return ts.AsTime().UTC().Format(time.RFC3339)
		}
		return "yes"
	default:
		return clean(v.String())
	}
}

func enumText(e protoreflect.EnumDescriptor, n protoreflect.EnumNumber) string {
	v := e.Values().ByNumber(n)
	if v == nil {
		return fmt.Sprint(n)
	}
	return enumWord(string(v.Name()))
}

// enumWord is an enum value without its prefix, lower case: STATE_ACTIVE is active.
func enumWord(name string) string {
	_, rest, _ := strings.Cut(name, "_")
	return strings.ToLower(rest)
}

// clean keeps control characters in a customer's words from reaching the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}
