package local

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"
)

const (
	payloadHash   = "X-Amz-Content-Sha256"
	decodedLength = "X-Amz-Decoded-Content-Length"
	copySource    = "X-Amz-Copy-Source"
	// mostText in bytes of a body that is held in memory: all but the content of objects and parts. 10,000 parts with
	// checksums and 1,000 keys take less than 2 MB.
	mostText = 4 << 20
	// framing in bytes may come on top of twice the content in aws-chunks.
	framing = 1 << 20
)

// measure returns how many bytes a request's body may have, or refuses the request. versitygw v1.8.0 takes the length of
// the content from a header, whether the body is in the aws-chunks that the header is for or not, and negative lengths
// too; a limit would be charged by it. Bodies of calls that are no uploads it reads into memory, whatever their size, and
// the forms by which browsers upload even before it knows who sends them: these are not offered, presigned links are.
func measure(ctx fiber.Ctx) (most int64, refusal s3err.S3Error) {
	length := int64(ctx.Request().Header.ContentLength())
	chunks := utils.IsStreamingPayload(ctx.Get(payloadHash)) && !utils.IsPresignedURLAuth(ctx)
	decoded, err := decodedBytes(ctx, chunks)
	text := !carriesContent(ctx)
	switch {
	case err != nil:
		return 0, refusedLength(err)
	case ctx.Method() == http.MethodPost && strings.HasPrefix(strings.ToLower(ctx.Get("Content-Type")), fiber.MIMEMultipartForm):
		return 0, s3err.GetAPIError(s3err.ErrNotImplemented)
	case length == httpChunked && !chunks:
		return 0, s3err.GetAPIError(s3err.ErrMissingContentLength)
	case length > mostText && text:
		return 0, s3err.GetMaxMessageLengthExceeded(mostText)
	case chunks:
		return 2*decoded + framing, nil
	}
	return max(length, 0), nil
}

// httpChunked is the Content-Length of a body without one, as fasthttp tells it.
const httpChunked = -1

// decodedBytes is the length of the content of a body in aws-chunks; for other bodies there must be none.
func decodedBytes(ctx fiber.Ctx, chunks bool) (int64, error) {
	header := ctx.Get(decodedLength)
	if header == "" {
		return 0, nil // refused elsewhere, where it is needed
	}
	if !chunks {
		return 0, fmt.Errorf("%s is for bodies in aws-chunks, which %s announces in a signed request: leave it out", decodedLength, payloadHash)
	}
	n, err := strconv.ParseInt(header, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/4 {
		return 0, fmt.Errorf("%s must be the number of bytes of the content", decodedLength)
	}
	return n, nil
}

func refusedLength(err error) s3err.S3Error {
	return s3err.APIError{Code: "InvalidArgument", HTTPStatusCode: http.StatusBadRequest, Description: err.Error() + "."}
}

// carriesContent says whether the body is the content of an object or of a part.
func carriesContent(ctx fiber.Ctx) bool {
	uri := ctx.Request().URI()
	_, key, _ := strings.Cut(strings.TrimPrefix(string(uri.PathOriginal()), "/"), "/")
	if ctx.Method() != http.MethodPut || key == "" || ctx.Get(copySource) != "" {
		return false
	}
	for _, aspect := range []string{"tagging", "retention", "legal-hold", "acl"} {
		if uri.QueryArgs().Has(aspect) {
			return false
		}
	}
	return true
}

// answer answers with an error as S3 does.
func answer(ctx fiber.Ctx, refusal s3err.S3Error) error {
	request, host := utils.EnsureRequestIDs(ctx)
	ctx.Response().Header.SetContentType(fiber.MIMEApplicationXML)
	return ctx.Status(refusal.StatusCode()).Send(refusal.XMLBody(request, host))
}
