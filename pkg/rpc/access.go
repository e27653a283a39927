package rpc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	accessv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/access/v1"
)

// Method is what a method's proto says of it.
type Method struct {
	FullName       string   // as gRPC says it: "/naksha.tenant.v1.WorkspaceService/GetWorkspace"
	Permission     string   // that a key needs at the gateway; empty = not callable from outside
	WorkspaceField string   // request field with the workspace's resource name; empty = for operators
	Callers        []string // services that may call it beside the gateway
	Idempotent     bool     // a second call does no harm: Get…, List…, or an idempotency_level
}

// Allows reports whether the service peer may call the method on its own account.
func (m Method) Allows(peer string) bool { return slices.Contains(m.Callers, peer) }

// ours is the package prefix of methods that must declare who may call them.
const ours = "naksha."

// Methods reads the naksha.* methods of files, by full name. A method that declares neither a permission nor callers is
// an error: nobody said who may call it.
func Methods(files *protoregistry.Files) (map[string]Method, error) {
	methods := map[string]Method{}
	var errs []error
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), ours) {
			return true
		}
		for i := range file.Services().Len() {
			errs = append(errs, addMethods(methods, file.Services().Get(i)))
		}
		return true
	})
	return methods, errors.Join(errs...)
}

func addMethods(methods map[string]Method, service protoreflect.ServiceDescriptor) error {
	var errs []error
	for i := range service.Methods().Len() {
		m := MethodOf(service.Methods().Get(i))
		if m.Permission == "" && len(m.Callers) == 0 {
			errs = append(errs, fmt.Errorf("%s declares neither a permission nor callers (naksha.access.v1.access)", m.FullName))
		}
		methods[m.FullName] = m
	}
	return errors.Join(errs...)
}

// MethodOf reads one method's options.
func MethodOf(d protoreflect.MethodDescriptor) Method {
	m := Method{FullName: "/" + string(d.Parent().FullName()) + "/" + string(d.Name())}
	options, _ := d.Options().(*descriptorpb.MethodOptions)
	m.Idempotent = options.GetIdempotencyLevel() != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN ||
		strings.HasPrefix(string(d.Name()), "Get") || strings.HasPrefix(string(d.Name()), "List")
	if access, ok := proto.GetExtension(options, accessv1.E_Access).(*accessv1.Access); ok {
		m.Permission, m.WorkspaceField, m.Callers = access.GetPermission(), access.GetWorkspaceField(), access.GetCallers()
	}
	return m
}

// WorkspaceOf reads the ref out of the request field at path (dotted), which holds `workspaces/{ref}` or a name below it;
// false when there is none.
func WorkspaceOf(request proto.Message, path string) (ref string, ok bool) {
	m := request.ProtoReflect()
	for name := range strings.SplitSeq(path, ".") {
		field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		switch {
		case field == nil || field.IsList() || field.IsMap():
			return "", false
		case field.Kind() == protoreflect.MessageKind:
			m = m.Get(field).Message()
		case field.Kind() == protoreflect.StringKind:
			return refOf(m.Get(field).String())
		default:
			return "", false
		}
	}
	return "", false
}

func refOf(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "workspaces/")
	ref, _, _ := strings.Cut(rest, "/")
	return ref, ok && ref != ""
}
