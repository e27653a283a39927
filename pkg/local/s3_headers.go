package local

import (
	"strings"
	"time"
)

// contentEncoding returns the encoding of the content itself. "aws-chunked" names how the body of this one request is
// written; versitygw keeps it, and readers of the object would then try to decode it.
func contentEncoding(header *string) *string {
	if header == nil || !strings.Contains(*header, "aws-chunked") {
		return header
	}
	var kept []string
	for name := range strings.SplitSeq(*header, ",") {
		if name = strings.TrimSpace(name); name != "aws-chunked" && name != "" {
			kept = append(kept, name)
		}
	}
	left := strings.Join(kept, ",")
	return &left
}

// endOfSecond moves times of conditional requests to the end of their second. The Last-Modified that clients send back
// has whole seconds; versitygw v1.8.0 compares it with the file's nanoseconds, so that no object would ever be
// unmodified since its own Last-Modified.
func endOfSecond(times ...*time.Time) {
	for _, t := range times {
		if t != nil {
			*t = t.Truncate(time.Second).Add(time.Second - 1)
		}
	}
}
