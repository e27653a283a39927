package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

func printTable(w io.Writer, found []protoreflect.Message, columns []string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	var header []string
	for _, c := range columns {
		header = append(header, strings.ToUpper(strings.ReplaceAll(c[strings.LastIndex(c, ".")+1:], "_", " ")))
	}
	fmt.Fprintln(t, strings.Join(header, "\t")) // no tab at the end: the last column may be long, and needs no padding
	for _, row := range found {
		var cells []string
		for _, c := range columns {
			cells = append(cells, field(row, c))
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// field is the text of a path of fields, or of a key of a map at its end; empty where it is unset or does not exist.
func field(m protoreflect.Message, path string) string {
	name, rest, nested := strings.Cut(path, ".")
	f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if f == nil || !m.Has(f) && f.Kind() == protoreflect.MessageKind {
		return ""
	}
	switch {
	case nested && f.IsMap():
		return text(f.MapValue(), m.Get(f).Map().Get(protoreflect.ValueOfString(rest).MapKey()))
	case nested:
		return field(m.Get(f).Message(), rest)
	}
	return text(f, m.Get(f))
}

func text(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch {
	case !v.IsValid():
		return ""
	case f.IsMap():
		return mapText(f.MapValue(), v)
	case f.IsList():
		return listText(f, v.List())
	case f.Enum() != nil:
		return enumText(f.Enum(), v.Enum())
	case f.Message() != nil:
		return messageText(v.Message().Interface())
	default:
		return clean(v.String())
	}
}

// mapText is k=v,k=v in the order of the keys.
func mapText(of protoreflect.FieldDescriptor, v protoreflect.Value) string {
	var pairs []string
	v.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		pairs = append(pairs, clean(key.String())+"="+text(of, value))
		return true
	})
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}

func listText(of protoreflect.FieldDescriptor, list protoreflect.List) string {
	var all []string
	for i := range list.Len() {
		if v := list.Get(i); of.Message() != nil {
			all = append(all, messageText(v.Message().Interface()))
		} else {
			all = append(all, clean(v.String()))
		}
	}
	return strings.Join(all, ",")
}

func messageText(m proto.Message) string {
	switch m := m.(type) {
	case *timestamppb.Timestamp:
		return m.AsTime().UTC().Format(time.RFC3339)
	case *alertingv1.Matcher:
		if m.GetNegate() {
			return clean(m.GetLabel() + "!=" + m.GetValue())
		}
		return clean(m.GetLabel() + "=" + m.GetValue())
	}
	return "yes"
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
