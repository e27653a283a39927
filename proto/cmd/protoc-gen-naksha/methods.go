package main

import (
	"errors"
	"sort"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
)

// method is one row of permissions.md.
type method struct {
	service string // naksha.tenant.v1.TenantService
	name    string // CreateWorkspace
	rest    string // POST /v1/workspaces; empty when the RPC is not reachable by REST
	access  access
}

// readMethods returns every RPC of ours in order of service and declaration, or all violations at once.
func readMethods(p *protogen.Plugin) ([]method, error) {
	services := serviceNames(p)
	var (
		methods []method
		errs    []error
		reader  *accessReader
	)
	for _, file := range ourFiles(p) {
		for _, service := range file.Services {
			if reader == nil {
				var err error
				if reader, err = newAccessReader(p); err != nil {
					return nil, err
				}
			}
			for _, m := range service.Methods {
				a, err := reader.read(m)
				if err == nil {
					err = a.check(m, services)
				}
				errs = append(errs, err)
				methods = append(methods, method{
					service: string(service.Desc.FullName()), name: string(m.Desc.Name()), rest: restOf(m), access: a,
				})
			}
		}
	}
	return methods, errors.Join(errs...)
}

// ourFiles returns the files to generate that belong to us, by path.
func ourFiles(p *protogen.Plugin) []*protogen.File {
	var files []*protogen.File
	for _, file := range p.Files {
		if file.Generate && strings.HasPrefix(string(file.Desc.Package()), ourPrefix) {
			files = append(files, file)
		}
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Desc.Path() < files[j].Desc.Path() })
	return files
}

// serviceNames returns the services of ours: tenant for package naksha.tenant.v1.
func serviceNames(p *protogen.Plugin) map[string]bool {
	names := map[string]bool{}
	for _, file := range p.Files {
		if parts := strings.Split(string(file.Desc.Package()), "."); len(parts) == 3 && parts[0]+"." == ourPrefix {
			names[parts[1]] = true
		}
	}
	return names
}

// restOf returns the verbs and paths of option (google.api.http), the main binding first.
func restOf(m *protogen.Method) string {
	rule, ok := proto.GetExtension(m.Desc.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return ""
	}
	routes := []string{routeOf(rule)}
	for _, more := range rule.GetAdditionalBindings() {
		routes = append(routes, routeOf(more))
	}
	return strings.Join(routes, ", ")
}

func routeOf(rule *annotations.HttpRule) string {
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET " + p.Get
	case *annotations.HttpRule_Put:
		return "PUT " + p.Put
	case *annotations.HttpRule_Post:
		return "POST " + p.Post
	case *annotations.HttpRule_Delete:
		return "DELETE " + p.Delete
	case *annotations.HttpRule_Patch:
		return "PATCH " + p.Patch
	case *annotations.HttpRule_Custom:
		return p.Custom.GetKind() + " " + p.Custom.GetPath()
	}
	return ""
}
