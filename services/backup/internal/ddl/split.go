// Package ddl reads scripts that pg_dump wrote: it cuts them into statements and says which of them a restore leaves out
// and which may run side by side. It changes no statement and talks to no server.
package ddl

import "strings"

// Split cuts a script of pg_dump into its statements, without comments and meta-commands around them. It follows the
// lexical rules of PostgreSQL (docs, "Lexical Structure") as psql does: quotes, dollar quotes, nested comments, brackets,
// and the bodies of SQL-standard functions (BEGIN ATOMIC … END).
func Split(script string) []string {
	s := splitter{text: script}
	for s.pos < len(s.text) {
		s.step()
	}
	s.cut(len(s.text))
	return s.found
}

type splitter struct {
	text   string
	pos    int
	start  int // of the statement
	begun  bool
	parens int
	words  []string // the first words of the statement, in capitals
	depth  int      // of BEGIN … END in a function's body
	found  []string
}

// step takes one token.
func (s *splitter) step() {
	rest := s.text[s.pos:]
	switch c := rest[0]; {
	case c == '-' && strings.HasPrefix(rest, "--"):
		s.skip(lineLength(rest))
	case c == '/' && strings.HasPrefix(rest, "/*"):
		s.skip(commentLength(rest))
	case c == '\\' && !s.begun:
		s.skip(lineLength(rest)) // \restrict and \unrestrict
	case c == '\'':
		s.take(quotedLength(rest, '\'', s.escapes()))
	case c == '"':
		s.take(quotedLength(rest, '"', false))
	case c == '$' && !s.insideWord():
		s.take(dollarLength(rest))
	case isWordStart(c):
		s.word(wordLength(rest))
	case c == ';' && s.parens == 0 && s.depth == 0:
		s.cut(s.pos)
		s.pos++
		s.start = s.pos
	default:
		s.other(c)
	}
}

func (s *splitter) other(c byte) {
	switch c {
	case '(':
		s.parens++
	case ')':
		s.parens--
	}
	if !s.begun && isSpace(c) {
		s.skip(1)
		return
	}
	s.take(1)
}

// skip passes over what is no part of a statement's beginning.
func (s *splitter) skip(n int) {
	s.pos += n
	if !s.begun {
		s.start = s.pos
	}
}

func (s *splitter) take(n int) {
	s.begun = true
	s.pos += n
}

// word counts BEGIN, CASE and END inside of CREATE FUNCTION and CREATE PROCEDURE, where semicolons do not end it.
func (s *splitter) word(n int) {
	w := strings.ToUpper(s.text[s.pos : s.pos+n])
	if len(s.words) < 4 {
		s.words = append(s.words, w)
	}
	if s.parens == 0 && s.routine() {
		switch {
		case w == "BEGIN", w == "CASE" && s.depth > 0:
			s.depth++
		case w == "END" && s.depth > 0:
			s.depth--
		}
	}
	s.take(n)
}

func (s *splitter) routine() bool {
	kind := s.words
	if len(kind) > 0 && kind[0] == "CREATE" {
		kind = kind[1:]
		if len(kind) > 1 && kind[0] == "OR" && kind[1] == "REPLACE" {
			kind = kind[2:]
		}
		return len(kind) > 0 && (kind[0] == "FUNCTION" || kind[0] == "PROCEDURE")
	}
	return false
}

func (s *splitter) cut(end int) {
	if statement := strings.TrimSpace(s.text[s.start:end]); s.begun && statement != "" {
		s.found = append(s.found, statement)
	}
	s.begun, s.parens, s.depth, s.words = false, 0, 0, nil
}

// escapes says whether the quote at pos opens an E'…' string, in which a backslash escapes.
func (s *splitter) escapes() bool {
	if s.pos == 0 || s.text[s.pos-1]|0x20 != 'e' {
		return false
	}
	return s.pos == 1 || !isWordPart(s.text[s.pos-2])
}

// insideWord says whether the character before pos belongs to an identifier or a parameter, so that $ opens no quote.
func (s *splitter) insideWord() bool { return s.pos > 0 && isWordPart(s.text[s.pos-1]) }
