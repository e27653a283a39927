package cell

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"math/bits"
	"slices"
)

// rowSum computes a table's checksum from its rows in COPY text form (README: "Checksum of a table"). It is computed here
// and not by a query: the planner of a query evaluates what is constant in a table's index expressions, predicates and
// statistics, so customers' functions would run with the rights of the reader, who sees all workspaces. COPY plans nothing.
type rowSum struct {
	columns int
	rows    int64
	high    int64 // of the sum, in 128 bits; it is exact
	low     uint64
	line    []byte // begun by an earlier Write
	record  []byte
	field   []byte
}

// Write takes rows, cut anywhere.
func (s *rowSum) Write(p []byte) (int, error) {
	for rest := p; ; {
		head, tail, found := bytes.Cut(rest, []byte{'\n'})
		if !found {
			s.line = append(s.line, rest...)
			return len(p), nil
		}
		if len(s.line) > 0 {
			head = append(s.line, head...)
			s.line = head[:0]
		}
		s.add(head)
		rest = tail
	}
}

func (s *rowSum) add(line []byte) {
	s.record = append(s.record[:0], '(')
	for i := range s.columns {
		if i > 0 {
			s.record = append(s.record, ',')
		}
		value, rest, _ := bytes.Cut(line, []byte{'\t'})
		s.appendField(value)
		line = rest
	}
	s.record = append(s.record, ')')
	h := hash(s.record)
	low, carry := bits.Add64(s.low, h, 0)
	s.low, s.high = low, s.high+int64(carry)+int64(h)>>63
	s.rows++
}

// appendField writes one value as PostgreSQL's record_out does: NULL is nothing, and quotes are for what needs them.
func (s *rowSum) appendField(value []byte) {
	if string(value) == `\N` {
		return
	}
	quoted, escaped := len(value) == 0, false
	for _, c := range value {
		quoted = quoted || special(c)
		escaped = escaped || c == '\\' || c == '"'
	}
	switch {
	case !quoted:
		s.record = append(s.record, value...)
	case !escaped:
		s.record = append(s.record, '"')
		s.record = append(s.record, value...)
		s.record = append(s.record, '"')
	default:
		s.field = unescape(s.field[:0], value)
		s.appendUnescaped(s.field)
	}
}

// special says whether record_out quotes a value with this byte in it, or COPY escapes it.
func special(c byte) bool {
	const set = 1<<'"' | 1<<'(' | 1<<')' | 1<<',' | 1<<' ' | 1<<'\t' | 1<<'\n' | 1<<'\v' | 1<<'\f' | 1<<'\r'
	return c < 64 && uint64(set)>>c&1 == 1 || c == '\\'
}

func (s *rowSum) appendUnescaped(field []byte) {
	if !slices.ContainsFunc(field, special) { // a backspace is escaped, but not quoted
		s.record = append(s.record, field...)
		return
	}
	s.record = append(s.record, '"')
	for _, c := range field {
		if c == '"' || c == '\\' {
			s.record = append(s.record, c)
		}
		s.record = append(s.record, c)
	}
	s.record = append(s.record, '"')
}

// unescape reads a value of COPY's text form.
func unescape(to, value []byte) []byte {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '\\' && i+1 < len(value) {
			i++
			c = value[i]
			if at := bytes.IndexByte([]byte("bfnrtv"), c); at >= 0 {
				c = "\b\f\n\r\t\v"[at]
			}
		}
		to = append(to, c)
	}
	return to
}

// text is the sum in decimal.
func (s *rowSum) text() string {
	sum := new(big.Int).Lsh(big.NewInt(s.high), 64)
	return sum.Add(sum, new(big.Int).SetUint64(s.low)).String()
}

// hash is PostgreSQL's hashtextextended(…, 0): Bob Jenkins' lookup3 (burtleburtle.net/bob/hash/doobs.html), little endian.
func hash(k []byte) uint64 {
	a := 0x9e3779b9 + uint32(len(k)) + 3923095
	b, c := a, a
	for ; len(k) >= 12; k = k[12:] {
		a += binary.LittleEndian.Uint32(k)
		b += binary.LittleEndian.Uint32(k[4:])
		c += binary.LittleEndian.Uint32(k[8:])
		a, b, c = mix(a, b, c)
	}
	var last [12]byte
	copy(last[:], k)
	a += binary.LittleEndian.Uint32(last[:])
	b += binary.LittleEndian.Uint32(last[4:])
	c += binary.LittleEndian.Uint32(last[8:]) << 8 // its lowest byte is the length's
	b, c = final(a, b, c)
	return uint64(b)<<32 | uint64(c)
}

func mix(a, b, c uint32) (uint32, uint32, uint32) {
	a, c = (a-c)^bits.RotateLeft32(c, 4), c+b
	b, a = (b-a)^bits.RotateLeft32(a, 6), a+c
	c, b = (c-b)^bits.RotateLeft32(b, 8), b+a
	a, c = (a-c)^bits.RotateLeft32(c, 16), c+b
	b, a = (b-a)^bits.RotateLeft32(a, 19), a+c
	c, b = (c-b)^bits.RotateLeft32(b, 4), b+a
	return a, b, c
}

func final(a, b, c uint32) (uint32, uint32) {
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	c = (c ^ b) - bits.RotateLeft32(b, 24)
	return b, c
}
