package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/file"
)

// backupUser is the S3 user that the backup service works as in each region.
const backupUser = "naksha-backup"

// backupPolicy lets the backup service own its bucket, and read and write workspaces' objects, but neither their
// buckets' configuration nor other users. Versions in workspaces' buckets stay out of reach of deletion.
func backupPolicy(bucket string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::%[1]s","arn:aws:s3:::%[1]s/*"]},
{"Effect":"Allow","Action":["s3:ListBucket","s3:ListBucketVersions","s3:GetBucketVersioning","s3:GetBucketLocation","s3:GetObject","s3:GetObjectVersion","s3:GetObjectTagging","s3:GetObjectVersionTagging","s3:PutObject","s3:PutObjectTagging","s3:DeleteObject"],"Resource":["arn:aws:s3:::w-*","arn:aws:s3:::w-*/*"]}]}`, bucket)
}

// accessKey is an S3 key pair.
type accessKey struct {
	ID     string      `json:"id"`
	Secret conf.Secret `json:"-"`
}

// backupKey returns the backup service's key in a region, made on first use and kept sealed in the state directory.
func (p *Platform) backupKey(ctx context.Context, region region, bucket string) (accessKey, error) {
	box, err := p.state.root.Box("up/s3")
	if err != nil {
		return accessKey{}, err
	}
	name := backupUser + "-" + region.place() + ".sealed" // sealed under it alone: the state directory may be moved
	path := p.state.path("s3", name)
	sealed, err := os.ReadFile(path)
	if err == nil {
		return openKey(box.Open(name, sealed))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return accessKey{}, fmt.Errorf("key of S3 user %s: %w", backupUser, err)
	}
	key, err := p.makeBackupKey(ctx, region, bucket)
	if err != nil {
		return accessKey{}, fmt.Errorf("S3 user %s in region %s: %w", backupUser, region.name, err)
	}
	content, err := json.Marshal(map[string]string{"id": key.ID, "secret": key.Secret.Reveal()})
	if err != nil {
		return accessKey{}, err
	}
	if err := os.MkdirAll(p.state.path("s3"), 0o711); err != nil {
		return accessKey{}, err
	}
	return key, file.Replace(path, box.Seal(name, content), 0o600)
}

func openKey(content []byte, err error) (accessKey, error) {
	if err != nil {
		return accessKey{}, err
	}
	var stored struct{ ID, Secret string }
	if err := json.Unmarshal(content, &stored); err != nil {
		return accessKey{}, fmt.Errorf("read S3 key: %w", err)
	}
	return accessKey{ID: stored.ID, Secret: conf.Secret(stored.Secret)}, nil
}

// makeBackupKey creates or adopts the user and gives it a fresh key; keys of a first start that was killed are removed.
func (p *Platform) makeBackupKey(ctx context.Context, region region, bucket string) (accessKey, error) {
	client, err := region.iamClient()
	if err != nil {
		return accessKey{}, err
	}
	user := aws.String(backupUser)
	_, err = client.CreateUser(ctx, &iam.CreateUserInput{UserName: user})
	if exists := new(types.EntityAlreadyExistsException); err != nil && !errors.As(err, &exists) {
		return accessKey{}, fmt.Errorf("create: %w", err)
	}
	_, err = client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: user, PolicyName: aws.String("backup"), PolicyDocument: aws.String(backupPolicy(bucket)),
	})
	if err != nil {
		return accessKey{}, fmt.Errorf("put policy: %w", err)
	}
	old, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: user})
	if err != nil {
		return accessKey{}, fmt.Errorf("list keys: %w", err)
	}
	for _, k := range old.AccessKeyMetadata {
		if _, err := client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: k.AccessKeyId}); err != nil {
			return accessKey{}, fmt.Errorf("remove key %s: %w", aws.ToString(k.AccessKeyId), err)
		}
	}
	made, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
	if err != nil {
		return accessKey{}, fmt.Errorf("make key: %w", err)
	}
	return accessKey{ID: aws.ToString(made.AccessKey.AccessKeyId), Secret: conf.Secret(aws.ToString(made.AccessKey.SecretAccessKey))}, nil
}
