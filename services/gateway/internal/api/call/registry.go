package call

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/services/gateway/internal/route"
)

// Method is a route with what is needed to read its requests.
type Method struct {
	route.Method
	Request protoreflect.MessageType
	Flat    bool // requests hold no messages: nothing to descend into
}

// Registry holds every method that is linked into the binary, by full name.
type Registry struct {
	Routes  route.Table
	methods map[string]Method
}

// NewRegistry reads the methods' options. It refuses a method of ours that nobody declared access to.
func NewRegistry(files *protoregistry.Files, types *protoregistry.Types) (*Registry, error) {
	declared, err := rpc.Methods(files)
	if err != nil {
		return nil, err
	}
	r := &Registry{Routes: route.Table{}, methods: map[string]Method{}}
	for name, d := range declared {
		m, err := read(files, types, d)
		if err != nil {
			return nil, err
		}
		r.Routes[name], r.methods[name] = m.Method, m
	}
	return r, nil
}

func read(files *protoregistry.Files, types *protoregistry.Types, d rpc.Method) (Method, error) {
	name := strings.ReplaceAll(d.FullName[1:], "/", ".")
	found, err := files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return Method{}, fmt.Errorf("find method %s: %w", d.FullName, err)
	}
	method, ok := found.(protoreflect.MethodDescriptor)
	if !ok || method.IsStreamingClient() || method.IsStreamingServer() {
		return Method{}, fmt.Errorf("method %s is a stream: the door carries unary calls only", d.FullName)
	}
	request, err := types.FindMessageByName(method.Input().FullName())
	if err != nil {
		return Method{}, fmt.Errorf("find request of %s: %w", d.FullName, err)
	}
	return Method{
		Method:  route.Method{FullName: d.FullName, Permission: d.Permission, WorkspaceField: d.WorkspaceField},
		Request: request, Flat: flat(method.Input()),
	}, nil
}

func flat(d protoreflect.MessageDescriptor) bool {
	for i := range d.Fields().Len() {
		if d.Fields().Get(i).Message() != nil {
			return false
		}
	}
	return true
}

// Resolve finds a method that callers may ask for.
func (r *Registry) Resolve(name string) (Method, bool) {
	if _, ok := r.Routes.Resolve(name); !ok {
		return Method{}, false
	}
	return r.methods[name], true
}
