package up

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/minio/minio-go/v7"
	s3credentials "github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local"
)

// region is an S3 region, private or not, with the key that may do everything there.
type region struct {
	ExternalRegion
	name      string
	elsewhere bool
}

// regions are both, primary first, once they run.
func (p *Platform) regions() []region {
	e := p.config.External.S3
	all := []region{{e.Primary, "primary", true}, {e.DR, "dr", true}}
	for i, running := range []*local.Region{p.primary.Load(), p.dr.Load()} {
		if all[i].Endpoint == "" {
			all[i].elsewhere, all[i].ExternalRegion = false, ExternalRegion{
				Endpoint: running.Endpoint(), IAMEndpoint: running.IAMEndpoint(), AccessKey: rootAccess,
				SecretKey: conf.Secret(p.state.password("s3/" + running.Name())), SigningRegion: local.S3Region,
			}
		}
	}
	return all
}

// place names a region for what is kept of it: a region elsewhere is another one under another endpoint, a private one is
// the same whatever its port.
func (r region) place() string {
	if !r.elsewhere {
		return r.name
	}
	sum := sha256.Sum256([]byte(r.Endpoint))
	return r.name + "-" + hex.EncodeToString(sum[:6])
}

// iamClient speaks the region's IAM API with its key.
func (r region) iamClient() (*iam.Client, error) {
	web, err := r.httpClient()
	if err != nil {
		return nil, err
	}
	return iam.New(iam.Options{
		Region: r.signingRegion(), BaseEndpoint: aws.String(r.iam()), HTTPClient: web,
		Credentials: credentials.NewStaticCredentialsProvider(r.AccessKey, r.SecretKey.Reveal(), ""),
	}), nil
}

// bucketLister speaks the region's S3 API with its key.
func (r region) bucketLister() (*minio.Client, error) {
	web, err := r.httpClient()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(r.Endpoint)
	if err != nil {
		return nil, err
	}
	return minio.New(u.Host, &minio.Options{
		Creds: s3credentials.NewStaticV4(r.AccessKey, r.SecretKey.Reveal(), ""), Secure: u.Scheme == "https",
		Region: r.signingRegion(), Transport: web.Transport, MaxRetries: 1,
	})
}

func (r ExternalRegion) signingRegion() string {
	if r.SigningRegion != "" {
		return r.SigningRegion
	}
	return local.S3Region
}

// httpClient trusts the certificates that sign the endpoint's.
func (r ExternalRegion) httpClient() (*http.Client, error) {
	if r.CAFile == "" {
		return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}, nil
	}
	content, err := os.ReadFile(r.CAFile)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("CA file %s holds no certificate in PEM form", r.CAFile)
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	return &http.Client{Timeout: 30 * time.Second, Transport: transport}, nil
}
