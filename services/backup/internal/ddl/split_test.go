package ddl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/services/backup/internal/ddl"
)

func TestSplitFollowsTheLexicalRules(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"plain":          {"SELECT 1", "SELECT 2"},
		"quotes":         {`SELECT 'a;''b'`, `CREATE TABLE "x;""y" (a int)`, `SELECT E'a\';b'`},
		"no escape":      {`SELECT 'a\'`, `SELECT 2`},
		"name with e":    {`SELECT 1 AS type'a\'`, "SELECT 2"},
		"dollars":        {"CREATE FUNCTION f() AS $$ a; b; $$", "CREATE FUNCTION g() AS $_x1$ $$;$$ $_x1$"},
		"parameter":      {"SELECT $1", "SELECT a$b", "SELECT 1"},
		"comments":       {"SELECT /* ; /* ; */ ; */ 1", "SELECT 2 -- ; it's\n + 3"},
		"rule":           {"CREATE RULE r AS ON INSERT TO v DO INSTEAD (INSERT INTO a VALUES (1); DELETE FROM b;)", "SELECT 1"},
		"atomic":         {"CREATE FUNCTION f() RETURNS int\n BEGIN ATOMIC\n SELECT CASE WHEN a THEN 1 END; SELECT 2;\nEND", "SELECT 3"},
		"atomic replace": {"CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END", "SELECT 3"},
		"unicode":        {"CREATE TABLE größe (ä text)", "SELECT 'ü;'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ddl.Split("--\n-- it's a comment;\n--\n\\restrict abc;d\n" + strings.Join(statements, ";\n\n--\n-- x; y\n--\n\n") + ";\n\\unrestrict abc\n")
			if len(got) != len(statements) {
				t.Fatalf("got %d statements: %q", len(got), got)
			}
			for i := range got {
				if got[i] != statements[i] {
					t.Errorf("statement %d is %q, want %q", i, got[i], statements[i])
				}
			}
		})
	}
}

func TestPlanOrdersAndLeavesOut(t *testing.T) {
	t.Parallel()
	script := `SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA w_a;
GRANT ALL ON SCHEMA w_a TO w_b;
ALTER TABLE ONLY w_a.t
    ADD CONSTRAINT "p k" PRIMARY KEY (id);
CREATE UNIQUE INDEX "i i" ON w_a."u ""u" USING btree (a);
CREATE TRIGGER x BEFORE INSERT ON w_a.t FOR EACH ROW EXECUTE FUNCTION w_a.f();
CREATE INDEX late ON ONLY w_a.t USING btree (a);
ALTER TABLE ONLY w_a.t
    ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES w_a.u(id);
ALTER TABLE ONLY w_a.t
    ADD CONSTRAINT fk2 FOREIGN KEY (b) REFERENCES w_a.u(id);
SET SESSION AUTHORIZATION x;
GRANT SELECT ON TABLE w_a.t TO y;
RESET SESSION AUTHORIZATION;
`
	p := ddl.PlanOf(script, "w_a")
	if len(p.All) != 7 || len(p.Early) != 2 || len(p.Early["t"]) != 1 || len(p.Early[`u "u`]) != 1 {
		t.Errorf("all %q, early %q", p.All, p.Early)
	}
	var sizes []int
	for _, step := range p.Steps {
		sizes = append(sizes, len(step))
	}
	if fmt.Sprint(sizes) != "[1 1 2 1]" {
		t.Errorf("steps: %v %q", sizes, p.Steps)
	}
}

func FuzzSplitLosesNothing(f *testing.F) {
	f.Add("SELECT 'a;b'; SELECT $$;$$;")
	f.Add("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; END; SELECT 2")
	f.Fuzz(func(t *testing.T, script string) {
		rest := script
		for _, statement := range ddl.Split(script) {
			_, after, found := strings.Cut(rest, statement)
			if !found {
				t.Fatalf("%q is not in what is left of %q", statement, script)
			}
			rest = after
		}
	})
}
