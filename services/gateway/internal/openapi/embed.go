// Package openapi holds the REST interface's description as the protos say it. The door adds what the protos do not
// know, how to authenticate and what an error looks like, when it serves it.
package openapi

import _ "embed"

// Document is the OpenAPI 2.0 document that `make generate` wrote.
//
//go:embed naksha.swagger.json
var Document []byte
