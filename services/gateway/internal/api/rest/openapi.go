package rest

import (
	"encoding/json"
	"fmt"

	"github.com/naksha-cloud/naksha/services/gateway/internal/openapi"
)

// OpenAPI is the interface's description (OpenAPI 2.0): what the protos say, and what they cannot: how to authenticate,
// and what an error looks like.
func OpenAPI(version string) ([]byte, error) {
	var document map[string]any
	if err := json.Unmarshal(openapi.Document, &document); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	document["info"] = map[string]any{
		"title":       "Naksha Cloud",
		"description": "Isolated backends on one cluster, and the control plane that keeps them safe.",
		"version":     version,
	}
	document["schemes"] = []string{"https"}
	document["securityDefinitions"] = map[string]any{
		"key": map[string]any{
			"type": "apiKey", "in": "header", "name": "Authorization",
			"description": "`Bearer nk_…`; the headers `apikey` and `x-api-key` take the key alone.",
		},
	}
	document["security"] = []any{map[string]any{"key": []string{}}}
	definitions, ok := document["definitions"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the OpenAPI document has no definitions")
	}
	definitions["Problem"] = problemSchema()
	describeErrors(document)
	return json.Marshal(document)
}

// describeErrors gives every operation its error reply.
func describeErrors(document map[string]any) {
	paths, _ := document["paths"].(map[string]any)
	for _, path := range paths {
		operations, _ := path.(map[string]any)
		for _, operation := range operations {
			o, _ := operation.(map[string]any)
			if replies, ok := o["responses"].(map[string]any); ok {
				replies["default"] = map[string]any{
					"description": "An error, as application/problem+json (RFC 9457).",
					"schema":      map[string]any{"$ref": "#/definitions/Problem"},
				}
			}
		}
	}
}

func problemSchema() map[string]any {
	text := func(description string) map[string]any {
		return map[string]any{"type": "string", "description": description}
	}
	return map[string]any{
		"type":     "object",
		"required": []string{"type", "title", "status", "detail", "reason", "remedy", "request_id"},
		"properties": map[string]any{
			"type":       text("urn:naksha:problem:{reason}"),
			"title":      text("The status in words."),
			"status":     map[string]any{"type": "integer", "format": "int32", "description": "HTTP status."},
			"detail":     text("One sentence about this occurrence."),
			"reason":     text("Stable key of the error, UPPER_SNAKE."),
			"remedy":     text("What to do next."),
			"request_id": text("Id of this call, as in the logs and in the header x-request-id."),
			"fields": map[string]any{
				"type": "array", "description": "What is wrong with which field.",
				"items": map[string]any{
					"type": "object",
					"properties": map[string]any{
						"path": text("Field, as in the request."), "why": text("What is accepted."),
					},
				},
			},
		},
	}
}
