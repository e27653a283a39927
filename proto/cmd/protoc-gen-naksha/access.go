package main

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	accessFile = "naksha/access/v1/access.proto"
	accessName = "naksha.access.v1.access"
	ourPrefix  = "naksha."
)

// access is what one RPC declares about who may call it.
type access struct {
	permission     string   // held by the caller's key or token; empty when only services may call
	workspaceField string   // path of the request's field that names the workspace; empty for platform-wide RPCs
	callers        []string // services that may call, by their client certificate
}

// accessReader reads the option by the definition that comes with the request. The generated Go type is not used: the
// plugin must be able to run before any code has been generated.
type accessReader struct {
	extension protoreflect.ExtensionType
}

// newAccessReader finds the option's definition in the request. It fails when some RPC of ours could not be read.
func newAccessReader(p *protogen.Plugin) (*accessReader, error) {
	file, ok := p.FilesByPath[accessFile]
	if !ok {
		return nil, fmt.Errorf("%s is not imported by any file, so no RPC can declare its access", accessFile)
	}
	for _, x := range file.Extensions {
		if x.Desc.FullName() == accessName && x.Desc.Message() != nil {
			return &accessReader{dynamicpb.NewExtensionType(x.Desc)}, nil
		}
	}
	return nil, fmt.Errorf("%s does not define the method option %s", accessFile, accessName)
}

// read returns what the method declares; the zero access when the option is absent.
func (r *accessReader) read(m *protogen.Method) (access, error) {
	types := new(protoregistry.Types)
	if err := types.RegisterExtension(r.extension); err != nil {
		return access{}, fmt.Errorf("register option %s: %w", accessName, err)
	}
	raw, err := proto.Marshal(m.Desc.Options())
	if err != nil {
		return access{}, fmt.Errorf("encode options of %s: %w", m.Desc.FullName(), err)
	}
	options := new(descriptorpb.MethodOptions)
	if err := (proto.UnmarshalOptions{Resolver: types}).Unmarshal(raw, options); err != nil {
		return access{}, fmt.Errorf("decode options of %s: %w", m.Desc.FullName(), err)
	}
	// Ranged over, not asked for: the request brings its own descriptor of MethodOptions, so that the extension's
	// container is another value than the one linked into this program, and a lookup would answer "not there".
	var a access
	options.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.FullName() == accessName {
			a = accessOf(v.Message())
		}
		return true
	})
	return a, nil
}

func accessOf(m protoreflect.Message) access {
	fields := m.Descriptor().Fields()
	text := func(name protoreflect.Name) string {
		if f := fields.ByName(name); f != nil {
			return m.Get(f).String()
		}
		return ""
	}
	a := access{permission: text("permission"), workspaceField: text("workspace_field")}
	if f := fields.ByName("callers"); f != nil {
		list := m.Get(f).List()
		for i := range list.Len() {
			a.callers = append(a.callers, list.Get(i).String())
		}
	}
	return a
}

// check returns every reason why the method may not be generated.
func (a access) check(m *protogen.Method, services map[string]bool) error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s: "+format, append([]any{m.Location.SourceFile, m.Desc.FullName()}, args...)...))
	}
	if a.permission == "" && len(a.callers) == 0 {
		fail("declares neither a permission nor callers; add option (%s) with one of them", accessName)
	}
	for _, c := range a.callers {
		if !services[c] {
			fail("caller %q is not one of our services", c)
		}
	}
	if a.workspaceField != "" {
		if why := notStringField(m.Input.Desc, a.workspaceField); why != "" {
			fail("workspace_field %q of %s %s", a.workspaceField, m.Input.Desc.Name(), why)
		}
	}
	return errors.Join(errs...)
}

// notStringField says why the dotted path does not end at one string below the message; empty when it does.
func notStringField(message protoreflect.MessageDescriptor, path string) string {
	steps := strings.Split(path, ".")
	for i, step := range steps {
		field := message.Fields().ByName(protoreflect.Name(step))
		switch {
		case field == nil:
			return fmt.Sprintf("does not exist: %s has no field %q", message.FullName(), step)
		case field.Cardinality() == protoreflect.Repeated:
			return fmt.Sprintf("is not one value: %q is repeated", step)
		case i == len(steps)-1 && field.Kind() != protoreflect.StringKind:
			return fmt.Sprintf("is not a string but %s", field.Kind())
		case i < len(steps)-1 && field.Message() == nil:
			return fmt.Sprintf("goes through %q, which is not a message", step)
		}
		message = field.Message()
	}
	return ""
}
