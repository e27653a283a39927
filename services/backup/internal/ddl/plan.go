package ddl

import "strings"

// Plan is how a script's statements are run.
type Plan struct {
	All   []string            // every statement, in the order of the dump
	Early map[string][]string // by table: what needs nothing but that table's rows; the rest of the plan comes after it
	Steps [][]string          // the others, one step after the other; the statements of one step may run side by side
}

// PlanOf orders the statements of a script for a schema. Left out is what belongs to the session, which whoever runs the
// plan sets up, and what belongs to the schema itself: the tenant service makes schemas, with their owner and grants.
func PlanOf(script, schema string) Plan {
	p := Plan{Early: map[string][]string{}}
	previous := serial
	for _, statement := range Split(script) {
		head := strings.ToUpper(firstLine(statement))
		if isSetting(head) || leftOut(head, statement, schema) {
			continue
		}
		p.All = append(p.All, statement)
		k, table := kindOf(head, statement)
		if k == index && len(p.Steps) == 0 {
			p.Early[table] = append(p.Early[table], statement)
			continue
		}
		if k == serial || k != previous || len(p.Steps) == 0 {
			p.Steps = append(p.Steps, nil)
		}
		last := len(p.Steps) - 1
		p.Steps[last] = append(p.Steps[last], statement)
		previous = k
	}
	return p
}

type kind int

const (
	serial  kind = iota // in the order of the dump
	index               // locks one table: CREATE INDEX, PRIMARY KEY, UNIQUE, EXCLUDE
	foreign             // locks two tables: FOREIGN KEY
)

// kindOf finds the two slow kinds of statement, as pg_dump writes them, and the table of an index. Whatever else is in a
// script stays in order.
func kindOf(head, statement string) (k kind, table string) {
	for _, prefix := range []string{"CREATE INDEX ", "CREATE UNIQUE INDEX "} {
		if strings.HasPrefix(head, prefix) {
			_, rest := identifier(statement[len(prefix):])
			return index, tableIn(strings.TrimPrefix(rest, "ON "))
		}
	}
	if !strings.HasPrefix(head, "ALTER TABLE ") {
		return serial, ""
	}
	_, action, found := strings.Cut(statement, "\n    ADD CONSTRAINT ")
	if !found {
		return serial, ""
	}
	switch _, rest := identifier(action); {
	case strings.HasPrefix(rest, "FOREIGN KEY "):
		return foreign, ""
	case strings.HasPrefix(rest, "PRIMARY KEY "), strings.HasPrefix(rest, "UNIQUE "), strings.HasPrefix(rest, "EXCLUDE "):
		return index, tableIn(statement[len("ALTER TABLE "):])
	default:
		return serial, ""
	}
}

// tableIn reads the table's own name from `[ONLY ]schema.table…`.
func tableIn(text string) string {
	schema, rest := identifier(strings.TrimPrefix(text, "ONLY "))
	if !strings.HasPrefix(rest, ".") {
		return schema
	}
	name, _ := identifier(rest[1:])
	return name
}

// identifier reads one identifier, quoted or not, and what follows it.
func identifier(text string) (name, rest string) {
	if strings.HasPrefix(text, `"`) {
		n := quotedLength(text, '"', false)
		return strings.ReplaceAll(strings.Trim(text[:n], `"`), `""`, `"`), strings.TrimLeft(text[n:], " \n")
	}
	n := 0
	for n < len(text) && (isWordPart(text[n]) || text[n] == '$') {
		n++
	}
	return text[:n], strings.TrimLeft(text[n:], " \n")
}

func isSetting(head string) bool {
	return strings.HasPrefix(head, "SET ") && !strings.HasPrefix(head, "SET SESSION AUTHORIZATION") ||
		strings.HasPrefix(head, "SELECT PG_CATALOG.SET_CONFIG(")
}

// leftOut names the statements about the schema itself, and the changes of identity around grants that somebody else
// than the owner made: those are granted again by the owner.
func leftOut(head, statement, schema string) bool {
	for _, prefix := range []string{
		"CREATE SCHEMA " + schema, "ALTER SCHEMA " + schema + " ", "COMMENT ON SCHEMA " + schema + " ",
	} {
		if strings.HasPrefix(statement, prefix) {
			return true
		}
	}
	switch {
	case strings.HasPrefix(head, "GRANT "), strings.HasPrefix(head, "REVOKE "):
		return strings.Contains(statement, " ON SCHEMA "+schema+" ")
	default:
		return strings.HasPrefix(head, "SET SESSION AUTHORIZATION") || strings.HasPrefix(head, "RESET SESSION AUTHORIZATION")
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
