package rpc_test

import (
	"context"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	accessv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/access/v1"
)

// The tests' own service, built by hand so that they depend on no product proto:
//
//	service ThingService {
//	  rpc GetThing(Thing) returns (Thing)            // permission, workspace_field "name"
//	  rpc MakeThing(Thing) returns (Thing)           // permission; not idempotent
//	  rpc AskThing(Thing) returns (Thing)            // callers: backup, gateway
//	  rpc WatchThings(Thing) returns (stream Thing)  // permission, workspace_field "name"
//	}
//	message Thing { string name = 1 [max_len 40]; string text = 2; }
const service = "naksha.test.v1.ThingService"

func method(name string) string { return "/" + service + "/" + name }

// thingFiles is the service's descriptor; without access, nobody may call AskThing.
func thingFiles(t testing.TB, declared bool) *protoregistry.Files {
	t.Helper()
	ask := &accessv1.Access{}
	if declared {
		ask.Callers = []string{"backup", "gateway"}
	}
	one := &accessv1.Access{Permission: "test.things.get", WorkspaceField: "name"}
	file := &descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("naksha/test/v1/thing.proto"), Package: proto.String("naksha.test.v1"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Thing"), Field: []*descriptorpb.FieldDescriptorProto{stringField("name", 1, 40), stringField("text", 2, 0)},
		}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("ThingService"), Method: []*descriptorpb.MethodDescriptorProto{
			rpcMethod("GetThing", one), rpcMethod("MakeThing", &accessv1.Access{Permission: "test.things.make"}),
			rpcMethod("AskThing", ask), rpcMethod("WatchThings", one),
		}}},
	}
	file.Service[0].Method[3].ServerStreaming = proto.Bool(true)
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func stringField(name string, number int32, limit uint64) *descriptorpb.FieldDescriptorProto {
	f := &descriptorpb.FieldDescriptorProto{
		Name: proto.String(name), JsonName: proto.String(name), Number: proto.Int32(number),
		Type:  descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	}
	if limit > 0 {
		f.Options = &descriptorpb.FieldOptions{}
		proto.SetExtension(f.Options, validate.E_Field, &validate.FieldRules{
			Type: &validate.FieldRules_String_{String_: &validate.StringRules{MaxLen: proto.Uint64(limit)}},
		})
	}
	return f
}

func rpcMethod(name string, access *accessv1.Access) *descriptorpb.MethodDescriptorProto {
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, accessv1.E_Access, access)
	return &descriptorpb.MethodDescriptorProto{
		Name: proto.String(name), InputType: proto.String(".naksha.test.v1.Thing"),
		OutputType: proto.String(".naksha.test.v1.Thing"), Options: options,
	}
}

// thing is a message of the service.
type thing struct{ *dynamicpb.Message }

// newThing makes a Thing of files with a name.
func newThing(files *protoregistry.Files, name string) thing {
	d, err := files.FindDescriptorByName("naksha.test.v1.Thing")
	if err != nil {
		panic(err)
	}
	m := thing{dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))}
	m.set("name", name)
	return m
}

func (m thing) set(field, value string) {
	m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(field)), protoreflect.ValueOfString(value))
}

func (m thing) get(field string) string {
	return m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(field))).String()
}

// handlers implement the service: one for all unary methods, one for the stream.
type handlers struct {
	files *protoregistry.Files
	unary func(ctx context.Context, in, out thing) error
	watch func(ss grpc.ServerStream, in thing) error
}

func (h handlers) register(r grpc.ServiceRegistrar) {
	desc := &grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{
		StreamName: "WatchThings", ServerStreams: true, Handler: h.stream,
	}}}
	for _, name := range []string{"GetThing", "MakeThing", "AskThing"} {
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: h.handler(name)})
	}
	r.RegisterService(desc, nil)
}

func (h handlers) handler(name string) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
		in, out := newThing(h.files, ""), newThing(h.files, "")
		if err := decode(in.Message); err != nil {
			return nil, err
		}
		call := func(ctx context.Context, _ any) (any, error) {
			if err := h.unary(ctx, in, out); err != nil {
				return nil, err
			}
			return out.Message, nil
		}
		if chain == nil {
			return call(ctx, in.Message)
		}
		return chain(ctx, in.Message, &grpc.UnaryServerInfo{Server: srv, FullMethod: method(name)}, call)
	}
}

func (h handlers) stream(_ any, ss grpc.ServerStream) error {
	in := newThing(h.files, "")
	if err := ss.RecvMsg(in.Message); err != nil {
		return err
	}
	return h.watch(ss, in)
}
