// Command protoc-gen-naksha is the protoc plugin that holds our protos to the rule of the door: every RPC declares, in
// option (naksha.access.v1.access), the permission it needs or the services that may call it. With neither, generation
// fails. From the same declarations it writes permissions.md and events.md, so that both tables cannot drift.
//
// It generates no Go code.
package main

import (
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	protogen.Options{}.Run(generate)
}

// generate checks every file of the request and writes the two documents. All violations are reported together, so
// that one run shows everything there is to fix.
func generate(p *protogen.Plugin) error {
	p.SupportedFeatures = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL)
	methods, err := readMethods(p)
	if err != nil {
		return err
	}
	writePermissions(p.NewGeneratedFile("permissions.md", ""), methods)
	writeEvents(p.NewGeneratedFile("events.md", ""), readFacts(p))
	return nil
}
