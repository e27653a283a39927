package local

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/versity/versitygw/s3err"
)

func TestTrailerOfAWSLosesItsLineFeed(t *testing.T) {
	t.Parallel()
	end := trailerEnd + strings.Repeat("0", 64) + "\r\n\r\n"
	body := "1;chunk-signature=…\r\nx\r\n0;chunk-signature=…\r\nx-amz-checksum-crc32c:sOO8/Q=="
	for in, want := range map[string]string{
		body + "\n\r\n" + end:            body + "\r\n" + end,
		body + "\r\n" + end:              body + "\r\n" + end,
		"\n\r\n" + end:                   "\r\n" + end,
		"\n\r\n" + end + "x":             "\n\r\n" + end + "x",
		"":                               "",
		"\n":                             "\n",
		strings.Repeat("x", trailerTail): strings.Repeat("x", trailerTail),
		strings.Repeat("\n\r\n"+end, 2):  "\n\r\n" + end + "\r\n" + end,
		strings.Repeat("x", 300<<10) + "\n\r\n" + end: strings.Repeat("x", 300<<10) + "\r\n" + end,
	} {
		got, err := io.ReadAll(newAWSTrailer(strings.NewReader(in)))
		if err != nil || string(got) != want {
			t.Errorf("%.300q is read as %.300q, %v", in, got, err)
		}
	}
}

func TestTrailerPassesErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, size := range []int{0, 10, 1000, 200 << 10} {
		in := io.MultiReader(strings.NewReader(strings.Repeat("x", size)), iotest.ErrReader(broken))
		got, err := io.ReadAll(newAWSTrailer(in))
		if !errors.Is(err, broken) || len(got) > size {
			t.Errorf("after %d bytes: %d bytes, %v", size, len(got), err)
		}
	}
}

func FuzzTrailerIsReadTheSameInAnyPieces(f *testing.F) {
	for _, in := range []string{"", "\n\r\n" + trailerEnd, "a\n\r\n" + trailerEnd + strings.Repeat("0", 64) + "\r\n\r\n", strings.Repeat("\n\r", 100)} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		want := bytes.Clone(in)
		if at := len(in) - trailerTail; at >= 0 && bytes.HasPrefix(in[at:], []byte("\n\r\n"+trailerEnd)) {
			want = append(want[:at], in[at+1:]...)
		}
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "error with data": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(iotest.OneByteReader(newAWSTrailer(wrap(bytes.NewReader(in)))))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %q, %v, want %q", name, got, err, want)
			}
		}
	})
}

func TestShortOrLongBodyIsAnError(t *testing.T) {
	t.Parallel()
	incomplete := s3err.GetAPIError(s3err.ErrIncompleteBody)
	for _, test := range []struct {
		content string
		length  int64
		want    error
	}{{"", 0, nil}, {"abc", 3, nil}, {"abc", -1, nil}, {"ab", 3, incomplete}, {"", 1, incomplete}, {"more", -1, incomplete}} {
		client, _ := net.Pipe()
		b := &requestBody{stream: strings.NewReader(test.content), left: test.length, most: 3, pace: newPace(client)}
		got, err := io.ReadAll(b)
		if string(got) != test.content || !errors.Is(err, test.want) {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
		if _, again := b.Read(make([]byte, 1)); test.want == nil && again != io.EOF || test.want != nil && again != test.want {
			t.Errorf("%+v: second end is %v", test, again)
		}
	}
}

func TestContentEncodingIsTheContentsOwn(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "gzip": "gzip", "aws-chunked": "", "aws-chunked,gzip": "gzip", "gzip, aws-chunked": "gzip", "a, aws-chunked ,b": "a,b",
	} {
		if got := contentEncoding(&in); *got != want {
			t.Errorf("%q becomes %q", in, *got)
		}
	}
	if contentEncoding(nil) != nil {
		t.Error("no header became one")
	}
}
