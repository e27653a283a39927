package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
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
	case outputJSON, outputYAML:
		return a.printMessage(m)
	case outputName:
		return printNames(a.Out, m)
	default:
		return printTable(a.Out, rows(m), strings.Fields(columns))
	}
}

// printOther writes what is no message of the API: v as its JSON says it, or its names one a line, or as table says.
func (a *App) printOther(v any, names []string, table func(w io.Writer) error) error {
	switch a.output {
	case outputJSON, outputYAML:
		content, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return a.printContent(content)
	case outputName:
		for _, name := range names {
			fmt.Fprintln(a.Out, name)
		}
		return nil
	}
	return table(a.Out)
}

// refuseOutput is for a command whose text has one form: another is refused, not ignored.
func (a *App) refuseOutput(what string) error {
	if a.output == "" || a.output == outputTable {
		return nil
	}
	return usageError{fmt.Errorf("-o %s: %s has one form only: leave -o out", a.output, what)}
}

// printMessage writes a message as JSON or YAML. What is zero or empty is told, as by REST; what is unset is left out.
func (a *App) printMessage(m proto.Message) error {
	content, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return err
	}
	return a.printContent(content)
}

// printContent writes JSON in the form that was asked for: protojson varies its white space on purpose, a second pass
// makes the text stable.
func (a *App) printContent(content []byte) error {
	var v any
	if err := json.Unmarshal(content, &v); err != nil {
		return err
	}
	showFacts(v)
	if a.output == outputYAML {
		e := yaml.NewEncoder(a.Out)
		e.SetIndent(2)
		return e.Encode(v)
	}
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func printNames(w io.Writer, m proto.Message) error {
	for _, row := range rows(m) {
		if _, err := fmt.Fprintln(w, nameOf(row)); err != nil {
			return err
		}
	}
	return nil
}

// nameOf is a resource's name, or what identifies that which has none: an alert, a fact, a key that is presented.
func nameOf(row protoreflect.Message) string {
	for _, name := range []string{"name", "fingerprint", "id", "kid"} {
		if row.Descriptor().Fields().ByName(protoreflect.Name(name)) != nil {
			return field(row, name)
		}
	}
	return ""
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
