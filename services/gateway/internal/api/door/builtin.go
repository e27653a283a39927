package door

import (
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
)

// builtin serves gRPC's own services, health and reflection, to everybody: they show what the published protos show.
// Methods that are not open to callers are left out of what reflection tells.
type builtin struct {
	server *grpc.Server
	health *health.Server
}

// ours says that a path belongs to gRPC's own services.
func ours(path string) bool {
	return strings.HasPrefix(path, "/grpc.health.v1.Health/") || strings.HasPrefix(path, "/grpc.reflection.v1.ServerReflection/")
}

func newBuiltin(methods *call.Registry) (*builtin, error) {
	files, services, err := openFiles(protoregistry.GlobalFiles, methods)
	if err != nil {
		return nil, fmt.Errorf("prepare reflection: %w", err)
	}
	b := &builtin{server: grpc.NewServer(grpc.MaxRecvMsgSize(64 << 10)), health: health.NewServer()}
	healthv1.RegisterHealthServer(b.server, b.health)
	for name := range services {
		b.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
	reflectionv1.RegisterServerReflectionServer(b.server, reflection.NewServerV1(reflection.ServerOptions{
		Services: services, DescriptorResolver: files,
	}))
	return b, nil
}

// ServeHTTP answers a call to one of gRPC's own services.
func (b *builtin) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.server.ServeHTTP(w, r) }

// stop says goodbye to those who watch, and ends their streams.
func (b *builtin) stop() {
	b.health.Shutdown()
	b.server.Stop()
}

// services are the services that have an open method, as reflection lists them.
type services map[string]grpc.ServiceInfo

// GetServiceInfo lists them.
func (s services) GetServiceInfo() map[string]grpc.ServiceInfo { return s }

// openFiles copies our proto files without the methods that are not open, and takes the files that they need as they are.
func openFiles(from *protoregistry.Files, methods *call.Registry) (*protoregistry.Files, services, error) {
	set, found := &descriptorpb.FileDescriptorSet{}, services{}
	from.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		d := protodesc.ToFileDescriptorProto(file)
		if strings.HasPrefix(string(file.Package()), "naksha.") {
			openOnly(d, methods, found)
		}
		set.File = append(set.File, d)
		return true
	})
	files, err := protodesc.NewFiles(set)
	return files, found, err
}

func openOnly(file *descriptorpb.FileDescriptorProto, methods *call.Registry, found services) {
	var kept []*descriptorpb.ServiceDescriptorProto
	for _, service := range file.GetService() {
		name := file.GetPackage() + "." + service.GetName()
		var open []*descriptorpb.MethodDescriptorProto
		for _, m := range service.GetMethod() {
			if _, ok := methods.Resolve("/" + name + "/" + m.GetName()); ok {
				open = append(open, m)
			}
		}
		if len(open) > 0 {
			service.Method = open
			kept, found[name] = append(kept, service), grpc.ServiceInfo{Metadata: file.GetName()}
		}
	}
	file.Service = kept
}
