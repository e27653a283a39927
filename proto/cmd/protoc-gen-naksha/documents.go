package main

import (
	"strings"
	"unicode"

	"google.golang.org/protobuf/compiler/protogen"
)

const generated = "<!-- Generated from the protos by protoc-gen-naksha (`make generate`). Do not edit. -->\n"

// fact is one row of events.md.
type fact struct {
	kind    string // naksha.tenant.v1.WorkspaceCreated, the CloudEvents type
	subject string // naksha.tenant.v1.workspace_created.<ref|platform>
	comment string
}

// readFacts returns every top-level message of the *_events.proto files, in order of path and declaration.
func readFacts(p *protogen.Plugin) []fact {
	var facts []fact
	for _, file := range ourFiles(p) {
		if !strings.HasSuffix(file.Desc.Path(), "_events.proto") {
			continue
		}
		for _, m := range file.Messages {
			facts = append(facts, fact{
				kind:    string(m.Desc.FullName()),
				subject: string(file.Desc.Package()) + "." + snake(string(m.Desc.Name())) + ".<ref|platform>",
				comment: meaning(m),
			})
		}
	}
	return facts
}

func writePermissions(f *protogen.GeneratedFile, methods []method) {
	f.P(generated)
	f.P("# Who may call what\n")
	f.P("The gateway denies by default: a call needs the permission in its key or token, for the workspace that the named field")
	f.P("of the request names. *Callers* are services that may call directly, known by their certificate.")
	service := ""
	for _, m := range methods {
		if m.service != service {
			service = m.service
			f.P("\n## ", service, "\n")
			f.P("| RPC | permission | callers | workspace field | REST |")
			f.P("| --- | --- | --- | --- | --- |")
		}
		f.P("| ", m.name, " | ", code(m.access.permission), " | ", strings.Join(m.access.callers, ", "), " | ",
			code(m.access.workspaceField), " | ", code(m.rest), " |")
	}
}

func writeEvents(f *protogen.GeneratedFile, facts []fact) {
	f.P(generated)
	f.P("# Facts\n")
	f.P("CloudEvents 1.0 in binary mode: the type and the other attributes are NATS headers, the payload is the bare message.")
	f.P("`<ref>` is the workspace's id, `platform` where there is none. Outsiders subscribe to the same subjects under")
	f.P("`naksha.feed.`, which carry committed facts only.\n")
	f.P("| type | subject | meaning |")
	f.P("| --- | --- | --- |")
	for _, x := range facts {
		f.P("| ", code(x.kind), " | ", code(x.subject), " | ", x.comment, " |")
	}
}

// snake turns WorkspaceCreated into workspace_created, and keeps runs of capitals together: APIKeyUsed is api_key_used.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// code quotes a table cell; the bar is the one character that would end it.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

// meaning returns the comment of a message in one line, without the message's name in front of it.
func meaning(m *protogen.Message) string {
	text := strings.Join(strings.Fields(string(m.Comments.Leading)), " ")
	if rest, named := strings.CutPrefix(text, string(m.Desc.Name())+": "); named {
		text = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return strings.ReplaceAll(text, "|", `\|`)
}
