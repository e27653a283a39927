package local_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// partSize is the smallest that S3 allows.
const partSize = 5 << 20

// customer is one way in which a customer writes an object: a client library with its default options.
type customer struct {
	name string
	put  func(ctx context.Context, key string, content []byte) error
}

// key is what a client signs with.
type key struct{ access, secret string }

// customerKey returns the key of a user that may use this bucket only.
func customerKey(t *testing.T, region *local.Region, bucket string) key {
	t.Helper()
	made := makeUser(t, region, "customer", bucket)
	return key{*made.AccessKeyId, *made.SecretAccessKey}
}

// customers returns every way into the bucket: over plain HTTP and through a proxy that ends TLS, where libraries write
// bodies differently, and with bodies whose length the request does not tell.
func customers(t *testing.T, region *local.Region, bucket string) []customer {
	t.Helper()
	var all []customer
	own := customerKey(t, region, bucket)
	for scheme, endpoint := range map[string]string{"http": region.Endpoint(), "https": tlsProxy(t, region)} {
		plain, trailing := minioAt(t, endpoint, own, transport(t, nil), false), minioAt(t, endpoint, own, transport(t, nil), true)
		unsized := minioAt(t, endpoint, own, lengthless{transport(t, nil)}, true)
		api := awsAt(t, endpoint, own)
		all = append(all,
			customer{scheme + " minio-go", minioPut(plain, bucket, minio.PutObjectOptions{PartSize: partSize})},
			customer{scheme + " minio-go of unknown size", minioStream(plain, bucket)},
			customer{scheme + " minio-go with MD5", minioPut(plain, bucket, minio.PutObjectOptions{PartSize: partSize, SendContentMd5: true})},
			customer{scheme + " minio-go with trailing headers", minioPut(trailing, bucket, minio.PutObjectOptions{PartSize: partSize})},
			customer{scheme + " minio-go without a length", minioPut(unsized, bucket, minio.PutObjectOptions{PartSize: partSize, Checksum: minio.ChecksumCRC32})},
			customer{scheme + " aws", awsPut(api, bucket)},
			customer{scheme + " aws transfer manager", awsTransfer(api, bucket)},
		)
		for _, sum := range []minio.ChecksumType{minio.ChecksumCRC32C, minio.ChecksumCRC64NVME, minio.ChecksumSHA256} {
			put := minioPut(trailing, bucket, minio.PutObjectOptions{PartSize: partSize, Checksum: sum})
			all = append(all, customer{scheme + " minio-go with trailing " + sum.String(), put})
		}
	}
	return all
}

func minioPut(client *minio.Client, bucket string, options minio.PutObjectOptions) func(context.Context, string, []byte) error {
	return func(ctx context.Context, key string, content []byte) error {
		_, err := client.PutObject(ctx, bucket, key, bytes.NewReader(content), int64(len(content)), options)
		return err
	}
}

func minioStream(client *minio.Client, bucket string) func(context.Context, string, []byte) error {
	return func(ctx context.Context, key string, content []byte) error {
		_, err := client.PutObject(ctx, bucket, key, io.MultiReader(bytes.NewReader(content)), -1, minio.PutObjectOptions{PartSize: partSize})
		return err
	}
}

func awsPut(api *s3.Client, bucket string) func(context.Context, string, []byte) error {
	return func(ctx context.Context, key string, content []byte) error {
		_, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)})
		return err
	}
}

func awsTransfer(api *s3.Client, bucket string) func(context.Context, string, []byte) error {
	manager := transfermanager.New(api, func(o *transfermanager.Options) { o.PartSizeBytes, o.MultipartUploadThreshold = partSize, partSize })
	return func(ctx context.Context, key string, content []byte) error {
		_, err := manager.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)})
		return err
	}
}

func minioAt(t *testing.T, endpoint string, own key, through http.RoundTripper, trailing bool) *minio.Client {
	t.Helper()
	_, host, _ := strings.Cut(endpoint, "://")
	client, err := minio.New(host, &minio.Options{
		Creds: credentials.NewStaticV4(own.access, own.secret, ""), Region: local.S3Region, MaxRetries: 1,
		Secure: strings.HasPrefix(endpoint, "https"), Transport: through, TrailingHeaders: trailing,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// awsAt returns a client as the SDK configures it where nothing is configured, which is not what an empty s3.Options
// does: CRC32 or CRC64NVME over each body, as a trailer over TLS.
func awsAt(t *testing.T, endpoint string, own key) *s3.Client {
	t.Helper()
	settings, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
		config.WithRegion(local.S3Region), config.WithBaseEndpoint(endpoint),
		config.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: own.access, SecretAccessKey: own.secret}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(settings, func(o *s3.Options) {
		o.UsePathStyle, o.RetryMaxAttempts, o.HTTPClient = true, 1, &http.Client{Transport: transport(t, nil)}
	})
}

// transport trusts tlsProxy, counts its connections where dials is given, and leaves none open.
func transport(t *testing.T, dials *atomic.Int32) *http.Transport {
	t.Helper()
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the proxy of this very test
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials != nil {
				dials.Add(1)
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// lengthless sends HTTP-chunked bodies, as clients do that produce the content while they send it.
type lengthless struct{ http.RoundTripper }

func (l lengthless) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodPut && request.Body != nil {
		request = request.Clone(request.Context())
		request.ContentLength = -1
	}
	return l.RoundTripper.RoundTrip(request)
}

// tlsProxy ends TLS in front of the region, as an ingress does.
func tlsProxy(t *testing.T, region *local.Region) string {
	t.Helper()
	target, err := url.Parse(region.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(&httputil.ReverseProxy{Transport: transport(t, nil), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}})
	t.Cleanup(server.Close)
	return server.URL
}
