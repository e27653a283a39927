package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/wire"
)

// body is a request's body. It remembers why it could not be read as JSON: the generated code between the decoder and
// the error handler keeps only a text.
type body struct {
	io.ReadCloser
	limit int64
	fault *fault.Fault
	names map[protoreflect.Name]string // text fields of the document, by their proto name
}

// marshaler is JSON as protojson writes it: lowerCamel names, unset fields too, enums by name. It reads the body as one
// document and nothing beside it.
type marshaler struct{}

// ContentType is that of replies.
func (marshaler) ContentType(any) string { return "application/json" }

// Marshal writes a reply.
func (marshaler) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("write JSON: %T is no message", v)
	}
	return protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
}

// Unmarshal reads a message.
func (marshaler) Unmarshal(data []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("read JSON: %T is no message", v)
	}
	return protojson.Unmarshal(data, m)
}

// NewDecoder reads a request's body.
func (m marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		b, ok := r.(*body)
		if !ok {
			return fmt.Errorf("read JSON: %T is not the request's body", r)
		}
		return b.decode(m, v)
	})
}

// NewEncoder writes a message to w.
func (m marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		data, err := m.Marshal(v)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
}

// decode reads the whole body into v. An empty body is io.EOF, which the generated code takes as an empty message.
func (b *body) decode(m marshaler, v any) error {
	data, err := io.ReadAll(b)
	if err != nil {
		b.fault = unread(err, int(b.limit))
		return b.fault
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return io.EOF
	}
	if err := m.Unmarshal(data, v); err != nil {
		if b.fault = misread(err); !utf8.Valid(data) || !json.Valid(data) {
			b.fault = malformedBody().WithCause(err)
		}
		return b.fault
	}
	b.remember(v)
	return nil
}

// remember keeps the document's text fields: the path is about to overwrite some of them.
func (b *body) remember(v any) {
	m, ok := v.(proto.Message)
	if !ok {
		return
	}
	b.names = map[protoreflect.Name]string{}
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Kind() == protoreflect.StringKind && !field.IsList() && !field.IsMap() {
			b.names[field.Name()] = value.String()
		}
		return true
	})
}

// agree refuses a document that names another resource than the path did.
func (b *body) agree(pattern string, request proto.Message) error {
	m := request.ProtoReflect()
	for name, said := range b.names {
		field := m.Descriptor().Fields().ByName(name)
		if inPath(pattern, string(name)) && m.Get(field).String() != said {
			return fault.Invalid("FIELD_INVALID", "The body's %s is another than the path's.", name).
				WithRemedy("Leave it out of the body.").WithField(string(name), "said by the path")
		}
	}
	return nil
}

// unread says why a body did not arrive.
func unread(err error, limit int) *fault.Fault {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return wire.TooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(codes.DeadlineExceeded, "REQUEST_TOO_SLOW", "The request did not arrive in time.").
			WithRemedy("Send it again over a faster connection.").WithCause(err)
	}
	return malformedBody().WithCause(err)
}

func malformedBody() *fault.Fault {
	return fault.Invalid("BODY_MALFORMED", "The body is not one valid JSON object.").
		WithRemedy("Send one JSON object in UTF-8, and nothing after it.")
}

// What protojson says of a document that is not the message it should be. The words before these vary on purpose.
const (
	unknownWords   = `unknown field "([^"]{1,64})`
	duplicateWords = `duplicate (?:map key|field) "?([^"]{1,64})`
	oneofWords     = `error parsing "?([^"]{1,64})"?, oneof`
	valueWords     = `invalid value for \w+ (?:field|type)? ?([\w.]{1,64})`
	expectWords    = `unexpected token (\S{1,64})`
)

// misread says which field of a document is wrong, as far as protojson tells.
func misread(err error) *fault.Fault {
	text := err.Error()
	if name := match(unknownWords, text); name != "" {
		return fault.Invalid("FIELD_UNKNOWN", "The field %q is not known here.", name).
			WithRemedy("Leave it out, or look its name up in /openapi.json.").WithField(name, "no such field")
	}
	if name := match(duplicateWords, text); name != "" {
		return fault.Invalid("FIELD_DUPLICATE", "The field %q is there twice.", name).
			WithRemedy("Send each field once.").WithField(name, "more than one value")
	}
	if name := match(oneofWords, text); name != "" {
		return fault.Invalid("FIELD_DUPLICATE", "Of a group of fields that exclude each other, several are set.").
			WithRemedy("Send one of them.").WithField(name, "another field of its group is set")
	}
	if name := match(valueWords, text); name != "" {
		return fault.Invalid("FIELD_INVALID", "The field %q has a value of the wrong type or range.", name).
			WithRemedy("Look its type up in /openapi.json.").WithField(name, "wrong type or range")
	}
	if token := match(expectWords, text); token != "" {
		return fault.Invalid("FIELD_INVALID", "A value is of the wrong type: %s.", clip(token)).
			WithRemedy("Look the fields' types up in /openapi.json.").WithCause(err)
	}
	return malformedBody().WithCause(err)
}

func match(words, text string) string {
	found := regexp.MustCompile(words).FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	return found[1]
}
