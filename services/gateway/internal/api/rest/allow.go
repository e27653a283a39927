package rest

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// allowed knows which HTTP methods a path takes, which the Allow header of a 405 must say.
type allowed struct {
	mux     *runtime.ServeMux
	methods []string
	verbs   map[string]map[string]bool // custom verbs (`:undo`) by HTTP method
}

func newAllowed() (*allowed, error) {
	a := &allowed{
		mux:     runtime.NewServeMux(runtime.WithDisablePathLengthFallback(), runtime.WithDisableHTTPMethodOverride()),
		methods: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		verbs:   map[string]map[string]bool{},
	}
	for _, rule := range Rules(protoregistry.GlobalFiles) {
		if err := a.mux.HandlePath(rule.Method, rule.Path, taken); err != nil {
			return nil, fmt.Errorf("read path %s: %w", rule.Path, err)
		}
		if a.verbs[rule.Method] == nil {
			a.verbs[rule.Method] = map[string]bool{"": true}
		}
		a.verbs[rule.Method][verbOf(rule.Path)] = true
	}
	return a, nil
}

// verbOf is what follows the colon of a path's last segment; empty when there is none. Names never hold a colon, but a
// pattern's wildcard would take one: a verb that the HTTP method does not have must not become part of a name.
func verbOf(path string) string {
	_, verb, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ":")
	return verb
}

// takes reports whether any path of the HTTP method ends in the verb that path ends in.
func (a *allowed) takes(method, path string) bool { return a.verbs[method][verbOf(path)] }

// taken marks a probe as answered.
func taken(w http.ResponseWriter, _ *http.Request, _ map[string]string) { w.WriteHeader(http.StatusOK) }

// at lists the methods that path takes.
func (a *allowed) at(path string) string {
	var found []string
	for _, method := range a.methods {
		if !a.takes(method, path) {
			continue
		}
		r, err := http.NewRequest(method, "/", http.NoBody) //nolint:noctx // it goes nowhere
		if err != nil {
			continue
		}
		r.URL.Path = path
		p := &probe{header: http.Header{}}
		a.mux.ServeHTTP(p, r)
		if p.status == http.StatusOK {
			found = append(found, method)
		}
	}
	return strings.Join(found, ", ")
}

// probe is a response that only its status is read of.
type probe struct {
	header http.Header
	status int
}

// Header is written and never read.
func (p *probe) Header() http.Header { return p.header }

// Write drops the body.
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader keeps the status.
func (p *probe) WriteHeader(status int) { p.status = status }

// Rule is one way to call a method over REST.
type Rule struct {
	RPC    string // full name, as gRPC says it
	Method string // GET, POST …
	Path   string // pattern, e.g. `/v1/{name=workspaces/*}`
}

// Rules reads the protos' google.api.http options.
func Rules(files *protoregistry.Files) (rules []Rule) {
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "naksha.") {
			return true
		}
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				rules = append(rules, rulesOf(methods.Get(j))...)
			}
		}
		return true
	})
	return rules
}

func rulesOf(m protoreflect.MethodDescriptor) (rules []Rule) {
	options, _ := m.Options().(*descriptorpb.MethodOptions)
	rule, ok := proto.GetExtension(options, annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return nil
	}
	name := "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		for method, path := range map[string]string{
			http.MethodGet: r.GetGet(), http.MethodPost: r.GetPost(), http.MethodPut: r.GetPut(),
			http.MethodPatch: r.GetPatch(), http.MethodDelete: r.GetDelete(),
		} {
			if path != "" {
				rules = append(rules, Rule{RPC: name, Method: method, Path: path})
			}
		}
	}
	return rules
}
