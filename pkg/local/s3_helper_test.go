package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// makeUser makes a user that may do everything in one bucket but weaken it, and returns its key.
func makeUser(t *testing.T, region *local.Region, name, bucket string) *types.AccessKey {
	t.Helper()
	api := iamClient(region)
	if _, err := api.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::%[1]s","arn:aws:s3:::%[1]s/*"]},
		{"Effect":"Deny","Action":["s3:DeleteObjectVersion","s3:PutBucketVersioning","s3:PutBucketPolicy","s3:DeleteBucketPolicy","s3:DeleteBucket"],"Resource":"*"}]}`, bucket)
	if _, err := api.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String(name), PolicyName: aws.String("bucket"), PolicyDocument: aws.String(policy)}); err != nil {
		t.Fatal(err)
	}
	out, err := api.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	return out.AccessKey
}

func publicPolicy(bucket string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, bucket)
}

func iamClient(region *local.Region) *iam.Client {
	return iam.New(iam.Options{
		BaseEndpoint: aws.String(region.IAMEndpoint()), Region: local.S3Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: localtest.RootAccess, SecretAccessKey: localtest.RootSecret}, nil
		}),
	})
}

func s3Client(t testing.TB, region *local.Region, access, secret string) *minio.Client {
	t.Helper()
	client, err := minio.New(region.Endpoint()[len("http://"):], &minio.Options{
		Creds: credentials.NewStaticV4(access, secret, ""), Region: local.S3Region, BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func startRegion(t *testing.T, config local.RegionConfig) *local.Region {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	region, err := local.StartRegion(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := region.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return region
}

func makeBucket(t testing.TB, client *minio.Client, name string) {
	t.Helper()
	if err := client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.EnableVersioning(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, client *minio.Client, bucket, key, content string) (version string) {
	t.Helper()
	info, err := client.PutObject(t.Context(), bucket, key, bytes.NewReader([]byte(content)), int64(len(content)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatalf("put %s/%s: %v", bucket, key, err)
	}
	return info.VersionID
}

func tryPut(t *testing.T, client *minio.Client, bucket, key, content string) error {
	_, err := client.PutObject(t.Context(), bucket, key, bytes.NewReader([]byte(content)), int64(len(content)), minio.PutObjectOptions{})
	return err
}

func get(t *testing.T, client *minio.Client, bucket, key, version string) string {
	t.Helper()
	object, err := client.GetObject(t.Context(), bucket, key, minio.GetObjectOptions{VersionID: version})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	if err != nil {
		t.Fatalf("get %s/%s: %v", bucket, key, err)
	}
	return string(content)
}

func tryGet(t *testing.T, client *minio.Client, bucket, key string) error {
	_, err := client.StatObject(t.Context(), bucket, key, minio.StatObjectOptions{})
	return err
}

func listError(objects <-chan minio.ObjectInfo) (err error) {
	for object := range objects {
		if object.Err != nil {
			err = object.Err
		}
	}
	return err
}

func count(objects <-chan minio.ObjectInfo) (n int) {
	for object := range objects {
		if object.Err == nil {
			n++
		}
	}
	return n
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := minio.ToErrorResponse(err).Code; got != code {
		t.Errorf("%v (code %q), want code %s", err, got, code)
	}
}
