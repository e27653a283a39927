package door

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/wire"
)

const (
	// mostStreams of health and reflection are open at a time: they need no key, so strangers may hold them.
	mostStreams = 256
	// longestStream is after how long one ends. Clients that watch health open another at once.
	longestStream = 5 * time.Minute
)

// builtin serves gRPC's own services, health and reflection, to everybody: they show what the published protos show.
// Methods that are not open to callers are left out of what reflection tells.
type builtin struct {
	server *grpc.Server
	health *health.Server

	places  chan struct{} // of streams
	longest time.Duration
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
	b := &builtin{server: grpc.NewServer(grpc.MaxRecvMsgSize(64 << 10)), health: health.NewServer(), places: make(chan struct{}, mostStreams), longest: longestStream}
	healthv1.RegisterHealthServer(b.server, b.health)
	for name := range services {
		b.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
	reflectionv1.RegisterServerReflectionServer(b.server, reflection.NewServerV1(reflection.ServerOptions{
		Services: services, DescriptorResolver: files,
	}))
	return b, nil
}

// ServeHTTP answers a call to one of gRPC's own services. A single check of health, which balancers live by, needs no
// place: it is over when its request is.
func (b *builtin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == healthv1.Health_Check_FullMethodName {
		b.server.ServeHTTP(w, r)
		return
	}
	select {
	case b.places <- struct{}{}:
		defer func() { <-b.places }()
	default: // whoever watches health takes a server that does not implement it for healthy, and goes on
		wire.Refuse(w, r, fault.New(codes.Unimplemented, "STREAMS_EXHAUSTED", "Too many streams of health and reflection are open.").
			WithRemedy("Try again later; health is also told by Check."))
		return
	}
	r.Header.Set("Grpc-Timeout", strconv.FormatInt(b.longest.Milliseconds(), 10)+"m")
	control, end := http.NewResponseController(w), time.Now().Add(b.longest+time.Minute)
	_, _ = control.SetReadDeadline(end), control.SetWriteDeadline(end) // every stream of HTTP/2 has them
	b.server.ServeHTTP(w, r)
}

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
