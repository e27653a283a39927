package rpc

import (
	"errors"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// validate applies the rules that the request's proto declares (buf.validate).
func validate(req any) error {
	message, ok := req.(proto.Message)
	if !ok {
		return nil
	}
	err := protovalidate.Validate(message)
	var invalid *protovalidate.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return invalidFields(invalid)
	default:
		return err // the proto's own rules do not compile: a broken program
	}
}

func invalidFields(invalid *protovalidate.ValidationError) error {
	f := fault.Invalid("FIELD_INVALID", "The request is invalid.").WithRemedy("Correct the named fields.")
	for i, v := range invalid.Violations {
		path, why := protovalidate.FieldPathString(v.Proto.GetField()), accepted(v)
		if i == 0 {
			f.Message = "The request is invalid: " + path + ": " + why + "."
		}
		f = f.WithField(path, why)
	}
	return f
}

// accepted says what a field accepts, in words where protovalidate would show a pattern or the numbers of an enum.
func accepted(v *protovalidate.Violation) string {
	switch v.Proto.GetRuleId() {
	case "string.pattern":
		if words := patternWords(v.RuleValue.String()); words != "" {
			return words
		}
	case "string.in", "enum.in":
		return "must be " + alternatives(v)
	}
	return v.Proto.GetMessage()
}

// alternatives are the values of a rule `in`; that an empty text is one of them goes without saying.
func alternatives(v *protovalidate.Violation) string {
	list, words := v.RuleValue.List(), []string(nil)
	for i := range list.Len() {
		word := list.Get(i).String()
		if e := v.FieldDescriptor.Enum(); e != nil {
			word = string(e.Values().ByNumber(protoreflect.EnumNumber(list.Get(i).Int())).Name())
		}
		if word != "" {
			words = append(words, word)
		}
	}
	if last := len(words) - 1; last > 0 {
		return strings.Join(words[:last], ", ") + " or " + words[last]
	}
	return strings.Join(words, "")
}

// texts are the patterns of words that people choose.
var texts = map[string]string{
	`^[^\p{C}]*$`: "must hold no control characters",
	`^[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$`: "must hold no control characters, and not begin or end with a space",
}

// parts are how patterns of resource names say what people know by another name.
var parts = strings.NewReplacer("^", "", "$", "", "|", " or ", "[a-z]{20}", "{ref}", "[0-9a-f-]{36}", "{id}",
	"[0-9A-Za-z]{12}", "{kid}", "[0-9a-z-]{1,63}", "{server}", "[a-z][a-z0-9-]{0,62}", "{credential}")

// patternWords says what a pattern asks for; empty if there are no words for it.
func patternWords(pattern string) string {
	if words := texts[pattern]; words != "" {
		return words
	}
	name := parts.Replace(pattern)
	if strings.HasPrefix(name, "(") && strings.HasSuffix(name, ")") {
		name = name[1 : len(name)-1]
	}
	switch {
	case strings.ContainsAny(name, `[]\*+?`):
		return ""
	case strings.Contains(name, "{ref}"):
		return "must be " + name + ", where {ref} is the 20 letters that `naksha workspace list` shows"
	default:
		return "must be " + name
	}
}
