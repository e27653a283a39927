package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

var update = flag.Bool("update", false, "write the golden files")

func TestWritesBothDocuments(t *testing.T) {
	t.Parallel()
	files, err := run(t, request(
		rpc("CreateWorkspace", access{permission: "tenant.workspaces.create"}, post("/v1/workspaces")),
		rpc("GetWorkspace", access{permission: "tenant.workspaces.get", workspaceField: "name", callers: []string{"tenant"}}, nil),
		rpc("WatchNested", access{callers: []string{"tenant"}, workspaceField: "inner.name"}, nil),
	))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"permissions.md", "events.md"} {
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(files[name]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if files[name] != string(want) {
			t.Errorf("%s differs from %s (go test -update):\n%s", name, golden, files[name])
		}
	}
}

func TestRefusesAnRPCThatDoesNotSayWhoMayCall(t *testing.T) {
	t.Parallel()
	ok := access{permission: "tenant.workspaces.get"}
	tests := []struct {
		name string
		a    access
		want string
	}{
		{"neither permission nor callers", access{}, "naksha/tenant/v1/tenant.proto: naksha.tenant.v1.TenantService.Bad: declares neither a permission nor callers"},
		{"only a workspace field", access{workspaceField: "name"}, "declares neither"},
		{"field that is not there", access{permission: "x", workspaceField: "parent"}, `has no field "parent"`},
		{"field that is a number", access{permission: "x", workspaceField: "size"}, "is not a string but int32"},
		{"field that is a message", access{permission: "x", workspaceField: "inner"}, "is not a string but message"},
		{"field that is a list", access{permission: "x", workspaceField: "names"}, `"names" is repeated`},
		{"path through a string", access{permission: "x", workspaceField: "name.ref"}, `goes through "name", which is not a message`},
		{"path to nowhere", access{permission: "x", workspaceField: "inner.ref"}, `has no field "ref"`},
		{"unknown caller", access{callers: []string{"tennant"}}, `caller "tennant" is not one of our services`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, request(rpc("Good", ok, nil), rpc("Bad", test.a, nil)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestReportsAllViolationsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := run(t, request(rpc("One", access{}, nil), rpc("Two", access{}, nil)))
	if err == nil || !strings.Contains(err.Error(), "TenantService.One") || !strings.Contains(err.Error(), "TenantService.Two") {
		t.Errorf("got %v, want both", err)
	}
}

func TestRefusesToRunWithoutTheOption(t *testing.T) {
	t.Parallel()
	r := request(rpc("One", access{}, nil))
	r.ProtoFile = r.ProtoFile[2:]
	r.ProtoFile[0].Dependency = nil
	if _, err := run(t, r); err == nil || !strings.Contains(err.Error(), accessFile) {
		t.Errorf("got %v, want an error that names %s", err, accessFile)
	}
}

func TestNamesOfFactsBecomeSubjects(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"WorkspaceCreated": "workspace_created", "APIKeyUsed": "api_key_used", "SentToS3": "sent_to_s3", "X": "x",
	} {
		if got := snake(name); got != want {
			t.Errorf("snake(%q) = %q, want %q", name, got, want)
		}
	}
}

// run generates and returns the files by name.
func run(t *testing.T, r *pluginpb.CodeGeneratorRequest) (map[string]string, error) {
	t.Helper()
	p, err := protogen.Options{}.New(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := generate(p); err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, f := range p.Response().File {
		files[f.GetName()] = f.GetContent()
	}
	return files, nil
}

// request is a compiler's request for a service with these methods and a file of facts.
func request(methods ...*descriptorpb.MethodDescriptorProto) *pluginpb.CodeGeneratorRequest {
	tenant := file("naksha/tenant/v1/tenant.proto", "naksha.tenant.v1")
	tenant.Dependency = []string{accessFile}
	tenant.Service = []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("TenantService"), Method: methods}}
	tenant.MessageType = []*descriptorpb.DescriptorProto{
		message("Inner", field("name", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING)),
		message("Order", field("name", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING),
			field("size", 2, descriptorpb.FieldDescriptorProto_TYPE_INT32), inner("inner", 3), list("names", 4)),
	}
	facts := file("naksha/tenant/v1/tenant_events.proto", "naksha.tenant.v1")
	facts.MessageType = []*descriptorpb.DescriptorProto{message("WorkspaceCreated"), message("KeyRevoked")}
	facts.SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: []*descriptorpb.SourceCodeInfo_Location{
		{Path: []int32{4, 0}, Span: []int32{0, 0, 0}, LeadingComments: proto.String(" WorkspaceCreated: a customer\n owns a workspace | slot.\n")},
		{Path: []int32{4, 1}, Span: []int32{1, 0, 0}, LeadingComments: proto.String(" A key is dead.\n")},
	}}
	return &pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{tenant.GetName(), facts.GetName()},
		ProtoFile: []*descriptorpb.FileDescriptorProto{
			protodesc.ToFileDescriptorProto(descriptorpb.File_google_protobuf_descriptor_proto), option(), tenant, facts,
		},
	}
}

// option is naksha/access/v1/access.proto.
func option() *descriptorpb.FileDescriptorProto {
	f := file(accessFile, "naksha.access.v1")
	f.Dependency = []string{"google/protobuf/descriptor.proto"}
	f.MessageType = []*descriptorpb.DescriptorProto{message("Access",
		field("permission", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING),
		field("workspace_field", 2, descriptorpb.FieldDescriptorProto_TYPE_STRING), list("callers", 3))}
	extension := field("access", 50071, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	extension.TypeName = proto.String(".naksha.access.v1.Access")
	extension.Extendee = proto.String(".google.protobuf.MethodOptions")
	f.Extension = []*descriptorpb.FieldDescriptorProto{extension}
	return f
}

func file(path, pkg string) *descriptorpb.FileDescriptorProto {
	return &descriptorpb.FileDescriptorProto{
		Name: proto.String(path), Package: proto.String(pkg), Syntax: proto.String("proto3"),
		Options: &descriptorpb.FileOptions{GoPackage: proto.String("example.test/" + pkg)},
	}
}

func message(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
	return &descriptorpb.DescriptorProto{Name: proto.String(name), Field: fields}
}

func field(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
	return &descriptorpb.FieldDescriptorProto{
		Name: proto.String(name), Number: proto.Int32(number), Type: kind.Enum(), JsonName: proto.String(name),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	}
}

func inner(name string, number int32) *descriptorpb.FieldDescriptorProto {
	f := field(name, number, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	f.TypeName = proto.String(".naksha.tenant.v1.Inner")
	return f
}

func list(name string, number int32) *descriptorpb.FieldDescriptorProto {
	f := field(name, number, descriptorpb.FieldDescriptorProto_TYPE_STRING)
	f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	return f
}

// rpc declares a method. Its access is written as the bytes that a compiler sends, so the plugin's own reading is what
// is tested.
func rpc(name string, a access, http *annotations.HttpRule) *descriptorpb.MethodDescriptorProto {
	options := new(descriptorpb.MethodOptions)
	if http != nil {
		proto.SetExtension(options, annotations.E_Http, http)
	}
	var body []byte
	text := func(number protowire.Number, s string) {
		if s != "" {
			body = protowire.AppendString(protowire.AppendTag(body, number, protowire.BytesType), s)
		}
	}
	text(1, a.permission)
	text(2, a.workspaceField)
	for _, c := range a.callers {
		text(3, c)
	}
	if len(body) > 0 {
		options.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 50071, protowire.BytesType), body))
	}
	return &descriptorpb.MethodDescriptorProto{
		Name: proto.String(name), Options: options,
		InputType: proto.String(".naksha.tenant.v1.Order"), OutputType: proto.String(".naksha.tenant.v1.Order"),
	}
}

func post(path string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: path}, Body: "*"}
}
