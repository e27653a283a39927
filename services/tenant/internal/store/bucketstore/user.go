package bucketstore

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
)

// users speaks the AWS IAM API of one region.
type users struct {
	api       *iam.Client
	transport *http.Transport
}

const (
	callTime   = 15 * time.Second
	policyName = "bucket"
)

func newUsers(c Config) *users {
	transport := &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: callTime}
	signing := c.S3.Region
	if signing == "" {
		signing = "us-east-1"
	}
	return &users{transport: transport, api: iam.New(iam.Options{
		BaseEndpoint: aws.String(c.IAMEndpoint), Region: signing, RetryMaxAttempts: 3,
		HTTPClient: &http.Client{Transport: transport, Timeout: callTime},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.S3.AccessKey, SecretAccessKey: c.S3.SecretKey.Reveal()}, nil
		}),
	})}
}

func (u *users) close() { u.transport.CloseIdleConnections() }

// ensure creates or adopts a user with a policy.
func (u *users) ensure(ctx context.Context, name, document string) error {
	var exists *types.EntityAlreadyExistsException
	_, err := u.api.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(name)})
	if err != nil && !errors.As(err, &exists) {
		return toFault(err)
	}
	_, err = u.api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: aws.String(name), PolicyName: aws.String(policyName), PolicyDocument: aws.String(document),
	})
	return toFault(err)
}

// freshKey replaces every key of a user by a new one: the secret of an older one was shown to an attempt that died.
func (u *users) freshKey(ctx context.Context, name string) (slot.S3Key, error) {
	old, err := u.keys(ctx, name)
	if err != nil {
		return slot.S3Key{}, err
	}
	for _, k := range old {
		_, err := u.api.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String(name), AccessKeyId: k.AccessKeyId})
		if err != nil && !missing(err) {
			return slot.S3Key{}, toFault(err)
		}
	}
	out, err := u.api.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(name)})
	if err != nil {
		return slot.S3Key{}, toFault(err)
	}
	return slot.S3Key{ID: aws.ToString(out.AccessKey.AccessKeyId), Secret: aws.ToString(out.AccessKey.SecretAccessKey)}, nil
}

// deactivate makes every key of a user inactive.
func (u *users) deactivate(ctx context.Context, name string) error {
	keys, err := u.keys(ctx, name)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Status == types.StatusTypeInactive {
			continue
		}
		_, err := u.api.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
			UserName: aws.String(name), AccessKeyId: k.AccessKeyId, Status: types.StatusTypeInactive,
		})
		if err != nil && !missing(err) {
			return toFault(err)
		}
	}
	return nil
}

func (u *users) keys(ctx context.Context, name string) ([]types.AccessKeyMetadata, error) {
	out, err := u.api.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String(name)})
	if err != nil {
		return nil, toFault(err)
	}
	return out.AccessKeyMetadata, nil
}

// list returns the names of all users.
func (u *users) list(ctx context.Context) (names []string, err error) {
	pages := iam.NewListUsersPaginator(u.api, &iam.ListUsersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, toFault(err)
		}
		for _, user := range page.Users {
			names = append(names, aws.ToString(user.UserName))
		}
	}
	return names, nil
}

func missing(err error) bool {
	var none *types.NoSuchEntityException
	return errors.As(err, &none)
}

// toFault says that the region is to be tried again; the cause, for the log, tells a broken connection from a refusal.
func toFault(err error) error {
	if err == nil {
		return nil
	}
	return fault.Unavailable("STORAGE_UNAVAILABLE", "The object storage is not reachable at the moment.").
		WithRemedy("Try again.").WithRetryAfter(retryAfter).WithCause(err)
}

// retryAfter is when it is worth trying a region again.
const retryAfter = 5 * time.Second
