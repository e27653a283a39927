package local

import "context"

// The calls below name a key beside an object's content: its tags, retention and legal hold. Storage asks some of
// them itself before a write, so an impossible name is refused here first.

// GetObjectTagging checks the names.
func (b oneToOne) GetObjectTagging(ctx context.Context, bucket, key, version string) (map[string]string, error) {
	if err := checkObject(&key, &version); err != nil {
		return nil, err
	}
	return b.Backend.GetObjectTagging(ctx, bucket, key, version)
}

// PutObjectTagging checks the names.
func (b oneToOne) PutObjectTagging(ctx context.Context, bucket, key, version string, tags map[string]string) error {
	if err := checkObject(&key, &version); err != nil {
		return err
	}
	return b.Backend.PutObjectTagging(ctx, bucket, key, version, tags)
}

// DeleteObjectTagging checks the names.
func (b oneToOne) DeleteObjectTagging(ctx context.Context, bucket, key, version string) error {
	if err := checkObject(&key, &version); err != nil {
		return err
	}
	return b.Backend.DeleteObjectTagging(ctx, bucket, key, version)
}

// PutObjectRetention checks the names.
func (b oneToOne) PutObjectRetention(ctx context.Context, bucket, key, version string, retention []byte) error {
	if err := checkObject(&key, &version); err != nil {
		return err
	}
	return b.Backend.PutObjectRetention(ctx, bucket, key, version, retention)
}

// GetObjectRetention checks the names.
func (b oneToOne) GetObjectRetention(ctx context.Context, bucket, key, version string) ([]byte, error) {
	if err := checkObject(&key, &version); err != nil {
		return nil, err
	}
	return b.Backend.GetObjectRetention(ctx, bucket, key, version)
}

// PutObjectLegalHold checks the names.
func (b oneToOne) PutObjectLegalHold(ctx context.Context, bucket, key, version string, status bool) error {
	if err := checkObject(&key, &version); err != nil {
		return err
	}
	return b.Backend.PutObjectLegalHold(ctx, bucket, key, version, status)
}

// GetObjectLegalHold checks the names.
func (b oneToOne) GetObjectLegalHold(ctx context.Context, bucket, key, version string) (*bool, error) {
	if err := checkObject(&key, &version); err != nil {
		return nil, err
	}
	return b.Backend.GetObjectLegalHold(ctx, bucket, key, version)
}
