package ddl

import "strings"

func lineLength(rest string) int {
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		return end + 1
	}
	return len(rest)
}

// commentLength is the length of a block comment; they nest.
func commentLength(rest string) int {
	depth := 0
	for i := 0; i+1 < len(rest); {
		switch rest[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(rest)
}

// quotedLength is the length of a quoted string or identifier; a doubled quote does not end it.
func quotedLength(rest string, quote byte, escapes bool) int {
	for i := 1; i < len(rest); i++ {
		switch {
		case escapes && rest[i] == '\\':
			i++
		case rest[i] == quote && i+1 < len(rest) && rest[i+1] == quote:
			i++
		case rest[i] == quote:
			return i + 1
		}
	}
	return len(rest)
}

// dollarLength is the length of a dollar-quoted string, or 1 where $ opens none.
func dollarLength(rest string) int {
	end := 1
	for end < len(rest) && rest[end] != '$' {
		if c := rest[end]; !isWordPart(c) || end == 1 && c >= '0' && c <= '9' {
			return 1
		}
		end++
	}
	if end == len(rest) {
		return 1
	}
	tag := rest[:end+1]
	if length := strings.Index(rest[len(tag):], tag); length >= 0 {
		return len(tag) + length + len(tag)
	}
	return len(rest)
}

func wordLength(rest string) int {
	n := 1
	for n < len(rest) && (isWordPart(rest[n]) || rest[n] == '$') {
		n++
	}
	return n
}

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isWordPart(c byte) bool { return isWordStart(c) || c >= '0' && c <= '9' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
